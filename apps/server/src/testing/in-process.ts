import pino from 'pino';
import { configFromEnv, type ServerConfig } from '../config.ts';
import { createServer, type VgpuServer } from '../create-server.ts';
import type { OpenDriver } from '../systems/engine.ts';
import { TestClient } from './client.ts';
import { testHome } from './engine.ts';

export interface InProcess {
  server: VgpuServer;
  client: TestClient;
  config: ServerConfig;
  /** Stops the server and removes its home. */
  close(): Promise<void>;
}

export const noEngine: OpenDriver = async () => {
  throw new Error('this test has no engine');
};

/** A server in this process with a home of its own and answers checked against their contracts. */
export async function startInProcess(
  options: { openDriver?: OpenDriver; config?: Partial<ServerConfig> } = {},
): Promise<InProcess> {
  const { home, remove } = testHome();
  const config: ServerConfig = {
    ...configFromEnv({}),
    home,
    port: 0,
    checkAnswers: true,
    ...options.config,
  };
  const log = pino({ level: process.env.VGPU_LOG ?? 'silent' });
  const server = await createServer(config, { log, openDriver: options.openDriver ?? noEngine });
  const url = await server.start();
  return {
    server,
    client: TestClient.of(url, home),
    config,
    async close() {
      await server.stop();
      remove();
    },
  };
}
