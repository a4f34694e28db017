// Programs on several devices whose kernels wait for each other: two fake GPUs, an arbiter for each, and two such
// programs that share both.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bed, build, fields, now, sideBySide } from './bed.ts';

const GiB = 1 << 30;
const WINDOW_MS = 2000;
const NS = 500_000; // a kernel, once its peer runs too
let dir: string;
let beds: Bed[] = [];

beforeAll(() => void build());
afterEach(async () => {
  for (const bed of beds) await bed.close();
  beds = [];
  rmSync(dir, { recursive: true, force: true });
});

async function devices(n: number): Promise<void> {
  dir = mkdtempSync(join(tmpdir(), 'vgpu-gangs-'));
  const env = { VGPU_FAKE_MEETINGS: join(dir, 'meetings') };
  const arbiter = ['--gangs', join(dir, 'gangs')];
  for (let i = 0; i < n; i++) beds.push(new Bed({ env, arbiter }));
  for (const bed of beds) await bed.start();
}

/** Two programs, each with a process on both devices; what they got done. */
async function pairs(...slices: string[]): Promise<{ rounds: number; ended: boolean }[]> {
  const from = now() + 600_000_000n;
  const to = from + BigInt(WINDOW_MS) * 1_000_000n;
  const all = await Promise.all(
    slices.flatMap((id, place) =>
      beds.map((bed, rank) =>
        bed.run(id, 'tests/cuda_meet', [
          `place=${place}`,
          `rank=${rank}`,
          `ns=${NS}`,
          `from=${from}`,
          `to=${to}`,
        ]),
      ),
    ),
  );
  return all.map((r) => ({ rounds: fields(r.out).rounds ?? 0, ended: r.code === 0 && r.err === '' }));
}

describe('slices of a gang', () => {
  it.each([
    [500, 500],
    [300, 700],
  ])(
    'have their turns at the same time: programs that share two devices, %i:%i, do not stop each other',
    async (...shares) => {
      await devices(2);
      for (const bed of beds)
        for (const [i, id] of ['a', 'b'].entries())
          await bed.slice(id, `share=${shares[i]} memory=${GiB} gang=job-${id}`);
      const done = await pairs('a', 'b');
      // Four thousand rounds would be all of both devices, less what the host takes. Stopping each other, they get one done.
      for (const one of done) {
        expect(one.ended).toBe(true);
        expect(one.rounds).toBeGreaterThan(250);
      }
      // Members of a gang go at one pace, but for the moment in which each of them looks at the clock.
      for (const i of [0, 2])
        expect(Math.abs((done[i]?.rounds ?? 0) - (done[i + 1]?.rounds ?? 0))).toBeLessThanOrEqual(5);
      // Who is not let run by a busy host does not ask for turns, and is owed none: here it is about who has more. How exact
      // shares are is what `vgpu bench limiter` measures.
      for (const bed of beds) {
        const [a, b] = [(await bed.row('a')).deviceNs, (await bed.row('b')).deviceNs];
        expect(Math.abs(a / (a + b) - (shares[0] ?? 0) / 1000)).toBeLessThan(0.2);
      }
      // A turn that ends while a kernel waits for its peer is lost; nearly none does.
      for (const bed of beds)
        for (const row of [await bed.row('a'), await bed.row('b')])
          expect(row.strips / row.turns).toBeLessThan(0.2);
    },
  );

  it('get their share beside others, and leave them theirs', async () => {
    await devices(2);
    for (const bed of beds) await bed.slice('a', `share=500 memory=${GiB} gang=job-a`);
    await beds[0]?.slice('c', `share=500 memory=${GiB}`);
    const [first] = beds as [Bed];
    const solo = sideBySide(first, [{ slice: 'c', args: ['ns=100000'] }], WINDOW_MS, 600);
    const gang = pairs('a');
    const held = async () => [(await first.row('a')).deviceNs, (await first.row('c')).deviceNs] as const;
    await expect.poll(async () => Math.min(...(await held())), { timeout: 15_000 }).toBeGreaterThan(50e6);
    const before = await held();
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS / 2));
    const after = await held();
    const [done] = await Promise.all([gang, solo]);
    for (const one of done) expect(one.rounds).toBeGreaterThan(150);
    const [a, c] = [after[0] - before[0], after[1] - before[1]];
    expect(c / (a + c)).toBeGreaterThan(0.45);
    expect(c / (a + c)).toBeLessThan(0.55);
  });

  it('work alone as if there were no gang', async () => {
    await devices(2);
    for (const bed of beds) await bed.slice('a', `share=500 memory=${GiB} gang=job-a`);
    for (const one of await pairs('a')) expect(one.rounds).toBeGreaterThan(500);
  });

  it('are refused by an arbiter that has no board, and survive one that is started again', async () => {
    await devices(1);
    const [bed] = beds as [Bed];
    const alone = new Bed();
    beds.push(alone);
    await alone.start();
    expect(await alone.control(`add id=a share=500 memory=${GiB} gang=x`)).toMatch(/^error code=gangs/);
    await bed.slice('a', `share=500 memory=${GiB} gang=x`);
    expect(await bed.control('add id=b share=500 gang=../x')).toMatch(/^error/);
    await bed.stop('SIGKILL');
    await bed.start();
    expect(await bed.control('list')).toContain('id=a');
    const r = await bed.run('a', 'tests/cuda_probe', ['result', '20']);
    expect(r.out).toBe('wrong=0 host=1\n');
  });
});
