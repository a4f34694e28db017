import { join } from 'node:path';
import { VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { root } from '../context/root.ts';
import { ExitWith } from '../exit-with.ts';
import { style } from '../output/style.ts';
import { duration } from '../output/words.ts';
import { canInstall, installPackages, missingPackages, testPackages } from '../testing/debian-packages.ts';
import { checkStep, type StepResult } from '../testing/step.ts';
import { testEngine } from '../testing/test-engine.ts';
import { vitestStep } from '../testing/vitest-step.ts';

interface TestFlags {
  only?: string;
  install: boolean;
  json?: boolean;
}

type Step = (filters: readonly string[], env: NodeJS.ProcessEnv) => Promise<StepResult>;
/** Steps in their order: what is quick and finds much comes first. */
const steps: Record<string, Step> = {
  lint: () => checkStep('lint', [join(root, 'node_modules/.bin/biome'), 'check', '.'], root),
  types: () =>
    checkStep('types', [join(root, 'node_modules/.bin/tsc'), '--noEmit', '-p', 'tsconfig.json'], root),
  'dashboard-types': () =>
    checkStep(
      'dashboard types',
      [join(root, 'node_modules/.bin/tsc'), '--noEmit', '-p', 'apps/dashboard'],
      root,
    ),
  rooms: () => checkStep('rooms', [process.execPath, join(root, 'tools/rooms.mjs')], root),
  build: () => checkStep('native build', ['make', '-C', join(root, 'native')], root),
  native: (filters, env) => vitestStep('native', root, filters, env),
  unit: (filters, env) => vitestStep('unit', root, filters, env),
  e2e: (filters, env) => vitestStep('e2e', root, filters, env),
};

function installNeeded(say: (text: string) => void): void {
  const missing = missingPackages(testPackages.map(([name]) => name));
  if (missing.length === 0) return;
  if (!canInstall()) {
    say(`not installed, and not installable without root and apt-get: ${missing.join(', ')}`);
    return;
  }
  say(`installing Debian packages: ${missing.join(' ')}`);
  const problem = installPackages(missing);
  if (problem) say(`apt-get install failed:\n${problem}`);
}

function report(result: StepResult, say: (text: string) => void): void {
  const verdict = result.failed > 0 ? style.red('failed') : style.green('passed');
  say(`${style.bold(result.name)} ${verdict} in ${duration(result.ms)}`);
  for (const failure of result.failures) say(`${style.red('✗')} ${failure.name}\n${failure.message}\n`);
}

export function define(command: Command): void {
  command
    .description('Install what the tests need and run them all. The last line is the sum.')
    .argument('[filter...]', 'only test files whose name contains one of these')
    .option('--only <steps>', `only some steps: ${Object.keys(steps).join(', ')}`)
    .option('--no-install', 'install nothing')
    .action(async (filters: string[], flags: TestFlags) => {
      const say = (text: string) => (flags.json ? process.stderr : process.stdout).write(`${text}\n`);
      if (flags.install) installNeeded(say);
      const wanted =
        flags.only?.split(',') ?? (filters.length > 0 ? ['native', 'unit', 'e2e'] : Object.keys(steps));
      const needsEngine = wanted.includes('unit') || wanted.includes('e2e');
      const engine = needsEngine ? await testEngine(say) : undefined;
      const results: StepResult[] = [];
      for (const name of wanted) {
        const step = steps[name];
        if (!step)
          throw new VgpuError('BAD_FLAG', { flag: '--only', problem: `no step "${name}"`, command: 'test' });
        say(style.dim(`── ${name}`));
        const result = await step(filters, engine?.env ?? {});
        report(result, say);
        results.push(result);
      }
      await engine?.stop();
      const sum = (pick: (result: StepResult) => number) =>
        results.reduce((total, one) => total + pick(one), 0);
      const skipped = results.flatMap((result) => result.skipped);
      const failed = sum((result) => result.failed);
      say('');
      for (const { name, reason } of skipped) say(`skipped: ${name}: ${reason}`);
      for (const { name } of results.flatMap((result) => result.failures)) say(`failed: ${name}`);
      for (const result of results) say(style.dim(`${result.name.padEnd(14)} ${duration(result.ms)}`));
      say(`${sum((result) => result.passed)} passed, ${failed} failed, ${skipped.length} skipped`);
      if (flags.json) process.stdout.write(`${JSON.stringify(results)}\n`);
      if (failed > 0) throw new ExitWith(1);
    });
}
