import { defineConfig } from 'vitest/config';

// Time limits only end what hangs; a slow machine must not fail a test.
const patient = { testTimeout: 240_000, hookTimeout: 240_000 };

const sharesOfTime = 'tests/e2e/gpu.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...patient,
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
          maxWorkers: 2,
        },
      },
      {
        // Shares of device time are measured here: one file at a time, and nothing else beside.
        test: { ...patient, name: 'native', include: ['native/**/*.test.ts'], fileParallelism: false },
      },
      {
        // Each file has a server and a home of its own; two at a time, since much of each is waiting.
        test: {
          ...patient,
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          exclude: [sharesOfTime],
          globalSetup: ['tests/e2e/harness/global.ts'],
          maxWorkers: 2,
        },
      },
      {
        // What measures shares of device time has the machine to itself, after the others.
        test: {
          ...patient,
          name: 'e2e-alone',
          include: [sharesOfTime],
          globalSetup: ['tests/e2e/harness/global.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
