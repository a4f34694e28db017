import { VgpuError } from '@vgpu/core';
import { buildNative } from '@vgpu/devices';
import { planEngineSetup, runStep } from '@vgpu/drivers';
import type { Command } from 'commander';
import { askToGoOn, tellEnginePlan, tellSteps } from '../context/engine-consent.ts';
import { home } from '../context/home.ts';
import { limiterToolSteps } from '../context/limiter-tools.ts';
import { readyEngine } from '../context/ready-engine.ts';
import { stepProgress } from '../context/step-progress.ts';
import { hasAccelerator } from '../doctor/accelerator-checks.ts';
import { note, print, printJson } from '../output/print.ts';

/** Asks on a terminal; elsewhere only `--yes` is a yes. */
async function mayGoOn(yes: boolean): Promise<boolean> {
  const answer = yes || (await askToGoOn());
  if (answer !== undefined) return answer;
  throw new VgpuError('BAD_FLAG', {
    flag: '--yes',
    problem: 'there is no terminal to ask on, so say --yes to go on',
    command: 'setup',
  });
}

export function define(command: Command): void {
  command
    .description(
      'Install and start a container engine where there is none, and a compiler for the limiter where there is an ' +
        'accelerator to share. Says what it will do before it does it.',
    )
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would be done')
    .action(async (flags: { yes?: boolean; dryRun?: boolean; json?: boolean }) => {
      const tools = limiterToolSteps();
      if (flags.dryRun && flags.json) {
        const plan = await planEngineSetup({ home: home() });
        return printJson({ ...plan, steps: [...plan.steps, ...tools] });
      }
      const plan = await tellEnginePlan();
      if (tools.length > 0) {
        note('There is an accelerator here. To share it, vgpu will:');
        tellSteps(tools);
      }
      if (!plan.engine || tools.length > 0) {
        if (flags.dryRun) return;
        if (!(await mayGoOn(flags.yes ?? false))) return note('nothing was done');
      }
      if (flags.dryRun) return note(`nothing to do: ${plan.detail} answers`);
      const engine = await readyEngine({ plan, install: true });
      for (const step of tools) {
        const { tell, done } = await stepProgress(new Set([step.title]));
        await runStep(step, tell).finally(done);
      }
      const limiter = await buildNative();
      if (flags.json) return printJson({ ...engine, limiter });
      print(`${engine.detail} at ${engine.socketPath}${engine.changed ? '' : ' (nothing to do)'}`);
      if (limiter.state === 'built') print('built the limiter: accelerators can be shared');
      // Without an accelerator there is nothing to share.
      if (limiter.state === 'impossible' && hasAccelerator())
        note(`accelerators cannot be shared: ${limiter.problem}`);
    });
}
