import { defineConfig } from 'vitest/config';

// Time limits only end what hangs; a slow machine must not fail a test.
const patient = { testTimeout: 240_000, hookTimeout: 240_000 };

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
        test: {
          ...patient,
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: ['tests/e2e/harness/global.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
});
