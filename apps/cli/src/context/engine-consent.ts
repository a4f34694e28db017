import { VgpuError } from '@vgpu/core';
import { type EnginePlan, planEngineSetup, type SetupStep } from '@vgpu/drivers';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { home } from './home.ts';

/** Says what having an engine takes; nothing where one answers. @throws VgpuError `ENGINE_UNREACHABLE` where no plan can be made. */
export async function tellEnginePlan(): Promise<EnginePlan> {
  const plan = await planEngineSetup({ home: home() });
  if (plan.engine) return plan;
  const problem = plan.problems[0];
  if (problem) throw new VgpuError('ENGINE_UNREACHABLE', { problem: `${problem.what}. ${problem.hint}` });
  note('No container engine answers here. To have one, vgpu will:');
  tellSteps(plan.steps);
  return plan;
}

export function tellSteps(steps: readonly SetupStep[]): void {
  for (const step of steps) {
    note(`  • ${step.title}`);
    for (const command of step.commands) note(style.dim(`      ${command.join(' ')}`));
  }
}

/** Asks on a terminal. @returns undefined where there is none to ask on */
export async function askToGoOn(): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const { confirm, isCancel } = await import('@clack/prompts');
  const answer = await confirm({ message: 'Go on?' });
  return !isCancel(answer) && answer;
}
