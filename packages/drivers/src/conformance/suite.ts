import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canConnectPorts, canKeepWarm } from '../types.ts';
import { Bench, type ConformanceOptions } from './bench.ts';
import { capabilityTests } from './capabilities.ts';
import { isolationTests } from './isolation.ts';
import { lifecycleTests } from './lifecycle.ts';
import { taskTests } from './tasks.ts';
import { warmPoolTests } from './warm-pool.ts';

/** What every driver must do. A new driver passes it before it is used. */
export function driverConformance(name: string, options: ConformanceOptions): void {
  describe(`driver ${name}`, () => {
    const at = new Bench(name, options);
    beforeAll(() => at.open());
    afterAll(() => at.close());

    test('tells what it is and what it can do', async () => {
      const f = await at.driver.fingerprint();
      expect(f.healthy).toBe(true);
      expect(f.version).not.toBe('');
      expect(f.capabilities.warmPool).toBe(canKeepWarm(at.driver));
      expect(f.capabilities.ports).toBe(canConnectPorts(at.driver));
    });

    taskTests(at);
    isolationTests(at);
    lifecycleTests(at);
    capabilityTests(at);
    warmPoolTests(at);
  });
}
