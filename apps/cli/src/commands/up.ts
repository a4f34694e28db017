import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { pageOf } from '../context/connection.ts';
import { readyEngine } from '../context/ready-engine.ts';
import { runningServer, type ServerOptions, serverProcess, startServer } from '../context/start-server.ts';
import { ExitWith } from '../exit-with.ts';
import { note, print, printJson } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';

interface UpFlags extends ServerOptions {
  detach?: boolean;
  json?: boolean;
}

/** Runs the server in the foreground, with its log on the terminal, until it ends. */
async function inForeground(flags: UpFlags): Promise<void> {
  const { args, env } = serverProcess(flags);
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
  // Ctrl-C reaches the server too (one terminal, one process group): we only wait for it to end in order.
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => pass('SIGTERM'));
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (signal) throw new ExitWith(128 + constants.signals[signal]);
  if (code) throw new ExitWith(code);
}

export function define(command: Command): void {
  command
    .description('Start the server on this machine. It stays in the foreground unless --detach is given.')
    .option('-d, --detach', 'start it in the background and return once it answers')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1, this machine only)')
    .option('--port <port>', 'port; 0 takes a free one (default: 8470)')
    .action(async (flags: UpFlags) => {
      const running = await runningServer();
      if (running && !flags.detach) throw new VgpuError('SERVER_RUNNING', { pid: running.pid });
      if (!running) await readyEngine();
      if (!flags.detach) return inForeground(flags);
      const server = running ?? (await startServer(flags));
      const address = pageOf({ url: server.url, token: undefined, origin: 'local' });
      if (flags.json) return printJson({ ...server, started: !running });
      note(running ? `already running (pid ${server.pid})` : `${style.green('started')} (pid ${server.pid})`);
      print(address);
    });
}
