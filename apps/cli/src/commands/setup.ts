import { VgpuError } from '@vgpu/core';
import { buildNative } from '@vgpu/devices';
import { planEngineSetup } from '@vgpu/drivers';
import type { Command } from 'commander';
import { home } from '../context/home.ts';
import { readyEngine } from '../context/ready-engine.ts';
import { note, print, printJson } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';

type Plan = Awaited<ReturnType<typeof planEngineSetup>>;

function tellPlan(plan: Plan): void {
  note('No container engine answers here. To have one, vgpu will:');
  for (const step of plan.steps) {
    note(`  • ${step.title}`);
    for (const command of step.commands) note(style.dim(`      ${command.join(' ')}`));
  }
}

/** Asks on a terminal; elsewhere only `--yes` is a yes. */
async function mayGoOn(yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new VgpuError('BAD_FLAG', {
      flag: '--yes',
      problem: 'there is no terminal to ask on, so say --yes to go on',
      command: 'setup',
    });
  }
  const { confirm, isCancel } = await import('@clack/prompts');
  const answer = await confirm({ message: 'Go on?' });
  return !isCancel(answer) && answer;
}

export function define(command: Command): void {
  command
    .description(
      'Install and start a container engine where there is none. Says what it will do before it does it.',
    )
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would be done')
    .action(async (flags: { yes?: boolean; dryRun?: boolean; json?: boolean }) => {
      const plan = await planEngineSetup({ home: home() });
      if (flags.dryRun && flags.json) return printJson(plan);
      if (!plan.engine) {
        const problem = plan.problems[0];
        if (problem)
          throw new VgpuError('ENGINE_UNREACHABLE', { problem: `${problem.what}. ${problem.hint}` });
        tellPlan(plan);
        if (flags.dryRun) return;
        if (!(await mayGoOn(flags.yes ?? false))) return note('nothing was done');
      }
      if (flags.dryRun) return note(`nothing to do: ${plan.detail} answers`);
      const engine = await readyEngine({ install: true });
      const limiter = await buildNative();
      if (flags.json) return printJson({ ...engine, limiter });
      print(`${engine.detail} at ${engine.socketPath}${engine.changed ? '' : ' (nothing to do)'}`);
      if (limiter.state === 'built') print('built the limiter: accelerators can be shared');
      if (limiter.state === 'impossible') note(`accelerators cannot be shared: ${limiter.problem}`);
    });
}
