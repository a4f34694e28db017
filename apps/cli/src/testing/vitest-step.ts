import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram, type StepResult } from './step.ts';

type Summary = Pick<StepResult, 'passed' | 'failed' | 'skipped' | 'failures'>;

/**
 * Runs the projects of Vitest whose names begin with this one, and reads its counts from tools/vitest-summary.ts.
 * A run that ends without a summary, or badly though no test failed, counts as one failure.
 * @param filters parts of file names.
 * @param extra environment of the run.
 */
export async function vitestStep(
  project: string,
  root: string,
  filters: readonly string[],
  extra: NodeJS.ProcessEnv,
): Promise<StepResult> {
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'vgpu-test-'));
  const file = join(folder, 'summary.json');
  const argv = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--project',
    `${project}*`,
    '--passWithNoTests',
    '--reporter=default',
    `--reporter=${join(root, 'tools/vitest-summary.ts')}`,
    ...filters,
  ];
  const env = { ...process.env, ...extra, VGPU_TEST_SUMMARY: file, NO_COLOR: '1' };
  const { code } = await runProgram(argv, { cwd: root, env, show: true });
  let summary: Summary;
  try {
    summary = JSON.parse(readFileSync(file, 'utf8')) as Summary;
  } catch {
    const failure = { name: project, message: `vitest ended with ${code} and left no summary` };
    summary = { passed: 0, failed: 1, skipped: [], failures: [failure] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (code !== 0 && summary.failed === 0) {
    summary.failed = 1;
    summary.failures.push({ name: project, message: `vitest ended with exit code ${code}` });
  }
  return { name: `${project} tests`, ...summary, ms: performance.now() - startedAt };
}
