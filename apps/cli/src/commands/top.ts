import { routes } from '@vgpu/api';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { liveScreen } from '../output/live-screen.ts';
import { print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { capacityText, topologyText } from '../views/topology-text.ts';

export function define(command: Command): void {
  command.option('--once', 'print it once').action(async (flags: { once?: boolean; json?: boolean }) => {
    const { client } = connect();
    if (flags.json) return printJson(await client.call(routes.machine.topology, {}));
    const draw = async (): Promise<string> => {
      const [topology, capacity] = await Promise.all([
        client.call(routes.machine.topology, {}),
        client.call(routes.machine.capacity, {}),
      ]);
      const { host } = topology;
      const head = `${style.bold(host.name)}  ${style.dim(host.engine ?? 'no engine')}`;
      return `${head}\n${capacityText(capacity)}\n\n${topologyText(topology)}`;
    };
    if (flags.once) print(await draw());
    else await liveScreen(draw);
  });
}
