import { VgpuError } from '@vgpu/core';
import { configFromEnv } from './config.ts';
import { createServer } from './create-server.ts';

/**
 * The server in the foreground: `vgpu up` runs this. SIGTERM and SIGINT end it gracefully; workers run on and
 * are taken up by the next start. A second signal ends it at once.
 */
async function main(): Promise<void> {
  const server = await createServer(configFromEnv());
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(130);
      stopping = true;
      server.stop().then(
        () => process.exit(0),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
  await server.start();
}

main().catch((error: unknown) => {
  // `vgpu up --detach` reads these two lines from the log.
  console.error(error instanceof VgpuError ? `vgpu: ${error.message}\n${error.hint}` : error);
  process.exit(3);
});
