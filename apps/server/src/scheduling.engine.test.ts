import { type Job, routes } from '@vgpu/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testEngine } from './testing/engine.ts';
import { pause, SpawnedServer } from './testing/spawned.ts';

const engine = await testEngine();
if ('skip' in engine) console.warn(`Tests with real workers are left out: ${engine.skip}`);

const CPU = 3000;

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      cpu: fc.constantFrom(0.5, 1, 3),
      priority: fc.integer({ min: 0, max: 2 }),
      qos: fc.constantFrom('guaranteed', 'burstable', 'best-effort'),
      ms: fc.integer({ min: 0, max: 1500 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('stop' as const, 'retry' as const, 'remove-container' as const, 'wait' as const),
      at: fc.nat(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('kill' as const), at: fc.nat() }) },
);

/** The most that attempts held at one time. Ends are known to the millisecond, so touching ones do not overlap. */
function peak(attempts: ReturnType<SpawnedServer['attempts']>): number {
  const now = Date.now();
  let most = 0;
  for (const { from } of attempts) {
    let sum = 0;
    for (const other of attempts) {
      if (other.from <= from && (other.to ?? now) > from) sum += other.cpuMilli;
    }
    most = Math.max(most, sum);
  }
  return most;
}

describe.skipIf('skip' in engine)('with real workers, in any order of events', () => {
  test('the machine is never over-committed, every task comes to one end, and nothing is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 12 }), async (steps) => {
        const server = new SpawnedServer((engine as { socket: string }).socket, {
          VGPU_CPU: '3',
          VGPU_MEMORY: '2GiB',
        });
        try {
          let client = await server.start();
          const jobs: string[] = [];
          const refused = (error: { code?: string }) => {
            // What comes too late or too early is refused, never half done.
            expect(['BAD_TRANSITION', 'CONFLICT']).toContain(error.code);
          };
          for (const one of steps) {
            if (one.kind === 'submit') {
              const job = await client.submit(`import time; time.sleep(${one.ms / 1000})`, {
                resources: { cpu: one.cpu, memory: '128MiB', qos: one.qos },
                priority: one.priority,
                limits: { retries: 1 },
              });
              jobs.push(job.id);
            } else if (one.kind === 'kill') {
              await server.kill();
              client = await server.start();
            } else if (one.kind === 'wait') {
              await pause(one.at % 800);
            } else if (jobs.length > 0) {
              const job: Job = await client.job(jobs[one.at % jobs.length]!);
              const params = { params: { job: job.id } };
              if (one.kind === 'stop') await client.call(routes.jobs.stop, params).catch(refused);
              else if (one.kind === 'retry') await client.call(routes.jobs.retry, params).catch(refused);
              else if (job.tasks[0]!.container) await server.removeContainer(job.tasks[0]!.container);
            }
          }
          const ends = await Promise.all(jobs.map((job) => client.ended(job, 60_000)));
          for (const end of ends) {
            const [task] = end.tasks;
            const lost = ['WORKER_LOST', 'KILLED'].includes(task!.reason?.code ?? '');
            expect(task!.state === 'COMPLETED' || task!.state === 'CANCELLED' || lost).toBe(true);
          }
          expect(peak(server.attempts())).toBeLessThanOrEqual(CPU);
          for (const count of Object.values(server.completions())) expect(count).toBe(1);
          for (let look = 0; look < 100 && (await server.containers()).length > 0; look++) await pause(50);
          expect(await server.containers()).toEqual([]);
          const capacity = await client.call(routes.machine.capacity, {});
          expect([capacity.cpu.used, capacity.memory.used]).toEqual([0, 0]);
        } catch (error) {
          const last = server.log.split('\n').slice(-40).join('\n');
          throw new Error(`${(error as Error).message}\nThe server's last words:\n${last}`, { cause: error });
        } finally {
          await server.close();
        }
      }),
      // A run takes half a minute where something hangs: another one would not find out more.
      { numRuns: 3, endOnFailure: true },
    );
  }, 300_000);
});
