import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { connect, findConnection, localServer, type Session } from './connection.ts';
import { readyEngine } from './ready-engine.ts';
import { startServer } from './start-server.ts';

/**
 * The client for a command that may start work: where no server is known at all, one is started on this machine,
 * and that is said. A server elsewhere is never started.
 */
export async function ensureServer(): Promise<Session> {
  if (!findConnection() && !localServer()) {
    note(style.dim('no server is running: starting one on this machine (stop it with `vgpu down`)'));
    await readyEngine();
    await startServer();
  }
  return connect();
}
