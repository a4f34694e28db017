import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

interface Named {
  name: string;
  reason: string;
}

/** Counts of a run and the reasons of what was skipped, as JSON into the file of VGPU_TEST_SUMMARY. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly { message?: string }[]): void {
    let passed = 0;
    const skipped: Named[] = [];
    const failures: { name: string; message: string }[] = [];
    for (const module of modules) {
      for (const error of module.errors())
        failures.push({ name: module.relativeModuleId, message: error.message });
      for (const test of module.children.allTests()) {
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        const result = test.result();
        if (result.state === 'passed') passed++;
        else if (result.state === 'skipped')
          skipped.push({ name, reason: result.note ?? 'marked as skipped' });
        else failures.push({ name, message: result.errors?.[0]?.message ?? result.state });
      }
    }
    for (const error of errors)
      failures.push({ name: 'outside of a test', message: error.message ?? String(error) });
    const file = process.env.VGPU_TEST_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify({ passed, failed: failures.length, skipped, failures }));
  }
}
