import type { Command } from 'commander';
import { stopServer } from '../context/start-server.ts';
import { note, printJson } from '../output/print.ts';

export function define(command: Command): void {
  command
    .description(
      'Stop the server on this machine. Tasks that run go on; the next `vgpu up` takes them up again.',
    )
    .option(
      '--engine',
      'stop the container engine too, where vgpu started it; tasks that run are queued again',
    )
    .action(async (flags: { engine?: boolean; json?: boolean }) => {
      const stopped = await stopServer();
      let engine = false;
      if (flags.engine) {
        const { stopEngine } = await import('@vgpu/drivers');
        const { home } = await import('../context/home.ts');
        engine = await stopEngine({ home: home() });
      }
      if (flags.json) return printJson({ stopped: stopped !== undefined, engine });
      note(stopped ? `stopped (pid ${stopped.pid})` : 'no server was running');
      if (engine) note('the container engine was stopped');
    });
}
