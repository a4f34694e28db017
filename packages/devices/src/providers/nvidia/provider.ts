import { createInterface } from 'node:readline';
import type { Accelerator } from '../../accelerator.ts';
import { runProbe, spawnProbe } from '../../probe-process.ts';
import type { Provider, ProviderUpdate } from '../../provider.ts';

const monitor = new URL('./monitor.ts', import.meta.url);

/** A monitor that says nothing for this long hangs in the driver and is replaced. */
const SILENCE_MS = 10_000;

/** NVIDIA devices through NVML. */
export class NvidiaProvider implements Provider {
  readonly name = 'nvidia';
  #uuids: string[] = [];

  async discover(): Promise<{ accelerators: Accelerator[]; problem: string | null }> {
    const { value, problem } = await runProbe<{ accelerators: Accelerator[] }>(monitor, ['--once']);
    if (value) {
      this.#uuids = value.accelerators.map((a) => a.uuid);
      return { accelerators: value.accelerators, problem: null };
    }
    // no driver installed is the normal case, not a problem
    const absent = /cannot open shared object|no such file/i.test(problem ?? '');
    return { accelerators: [], problem: absent ? null : problem };
  }

  watch(onUpdate: (update: ProviderUpdate) => void): { stop(): void } {
    let stopped = false;
    let failures = 0;
    let end: () => void = () => {};
    const start = () => {
      if (stopped || this.#uuids.length === 0) return;
      const child = spawnProbe(monitor, []);
      child.stderr.resume();
      let heard = Date.now();
      const watchdog = setInterval(() => {
        if (Date.now() - heard > SILENCE_MS) child.kill('SIGKILL');
      }, 1000);
      end = () => child.kill('SIGKILL');
      createInterface({ input: child.stdout }).on('line', (line) => {
        heard = Date.now();
        failures = 0;
        onUpdate(JSON.parse(line) as ProviderUpdate);
      });
      child.on('close', () => {
        clearInterval(watchdog);
        if (stopped) return;
        failures++;
        if (failures >= 3) {
          const reason = 'the NVIDIA driver stopped answering';
          const recovers = true;
          onUpdate({ health: this.#uuids.map((uuid) => ({ uuid, health: 'unhealthy', reason, recovers })) });
        }
        setTimeout(start, Math.min(30_000, 500 * 2 ** failures)).unref();
      });
    };
    start();
    return {
      stop: () => {
        stopped = true;
        end();
      },
    };
  }
}
