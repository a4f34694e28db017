import { routes } from '@vgpu/api';
import { clientOf, findConnection } from '../context/connection.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** The server that commands use, and what it found out about itself. */
export async function checkServer(): Promise<Finding[]> {
  const connection = findConnection();
  if (!connection)
    return [warn('server', 'no server runs on this machine', 'Start one with `vgpu up --detach`.')];
  try {
    const health = await clientOf(connection).call(routes.machine.health, {});
    const own = health.findings
      .filter((finding) => finding.level !== 'ok')
      .map((finding) => ({ ...finding, name: `server: ${finding.name}` }));
    const line = `${connection.url} (${connection.origin}), version ${health.version}, ${health.status}`;
    return [ok('server', line), ...own];
  } catch (error) {
    const advice =
      connection.origin === 'local'
        ? 'Restart it with `vgpu down` and `vgpu up --detach`.'
        : 'Check the address and the network; `vgpu logout` goes back to this machine.';
    return [fail('server', `${connection.url} does not answer: ${(error as Error).message}`, advice)];
  }
}
