// Over-commitment through the whole chain: limiter, arbiter, and a GPU whose managed memory faults and moves.
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bed, type BedOptions, build, fields, finished, now } from './bed.ts';

const MiB = 1 << 20;
const CONTEXT = 32 * MiB;
const DEVICE = 512 * MiB;

let bed: Bed;
beforeAll(() => {
  build();
});
afterEach(() => bed.close());

async function started(options: BedOptions = {}): Promise<void> {
  bed = new Bed({
    ...options,
    env: { VGPU_FAKE_MEMORY: String(DEVICE), VGPU_FAKE_CONTEXT: String(CONTEXT), ...options.env },
  });
  await bed.start();
}
const slice = (id: string, mib = 512, more = 'scaling=2000') =>
  bed.slice(id, `share=500 memory=${mib * MiB} ${more}`);
const row = (id: string) => bed.rowNow(id);
const paging = (id: string) => {
  const found = row(id).paging;
  if (!found) throw new Error(`${id} is not over-committed`);
  return found;
};
const set = (mib: number, ...more: string[]) => [`bytes=${mib * MiB}`, 'parts=10', 'ns=1000000', ...more];
/** The last line of cuda_set. */
const result = (out: string) => fields(out.trim().split('\n').at(-1) ?? '');

/** Two or more programs at once; what each of them did. */
async function together(slices: readonly (string | undefined)[], args: readonly string[], ms: number) {
  const from = now() + 300_000_000n;
  const window = [`from=${from}`, `to=${from + BigInt(ms) * 1_000_000n}`];
  const done = await Promise.all(slices.map((id) => bed.run(id, 'bench/cuda_set', [...args, ...window])));
  return done.map((r) => {
    expect(r.err).toBe('');
    expect(r.code, r.out).toBe(0);
    return result(r.out);
  });
}

describe('memory of an over-committed slice', () => {
  it('can leave the device where its kind allows; the rest has to fit on it, and is bounded', async () => {
    await started();
    await slice('a');
    const child = bed.spawn('a', 'tests/cuda_probe', ['pinned', String(16 * MiB)]);
    const done = finished(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const managed = (3 + 1 + 4 + 5 + 6 + 7) * MiB;
    await expect.poll(() => row('a').memory.managed).toBe(managed + 64 * MiB);
    const { memory, paging: p } = row('a');
    expect(memory).toMatchObject({ device: 0, pool: 8 * MiB, array: 4 * MiB });
    expect(p?.physicalCap).toBe(256 * MiB); // 512 MiB at scaling 2
    expect(p?.physicalUsed).toBe(CONTEXT + 8 * MiB + 4 * MiB + memory.vmm);
    child.stdin?.end();
    // What cannot move is refused at the bound, and what can is still to be had.
    expect(fields((await done).out)).toEqual({
      pitch: 1024,
      pieces: Math.floor((256 * MiB - CONTEXT - 12 * MiB) / (16 * MiB)),
      code: 2,
      array: 2,
      alloc: 0,
    });
  });

  it('has an exact cap', async () => {
    await started();
    await slice('a', 700);
    const f = fields((await bed.run('a', 'tests/cuda_probe', ['exhaust', String(32 * MiB)])).out);
    expect(f).toMatchObject({ code: 2, over: 2, async: 2, exact: 0, one: 2 });
    expect(f.pieces).toBe(Math.floor((700 * MiB - CONTEXT) / (32 * MiB)));
  });

  it('is no more in all slices than the device hands out, nor than the host can back', async () => {
    await started({ arbiter: ['--host-memory-mib', '900'] });
    await slice('a', 500);
    const add = (id: string, mib: number, scaling: number) =>
      bed.control(`add id=${id} share=100 memory=${mib * MiB} scaling=${scaling}`);
    expect(await add('b', 300, 1500)).toContain('error code=overcommitted');
    expect(await add('b', 268, 1500)).toContain('ok'); // 768 MiB, to the byte
    expect(await add('c', 1, 1500)).toContain('error code=overcommitted');
    expect(await add('c', 133, 2000)).toContain('error code=host_memory');
    expect(await add('c', 132, 2000)).toContain('ok');
    expect(await add('d', 0, 4000)).toContain('error code=uncapped');
    expect(await bed.control(`set id=c memory=${133 * MiB}`)).toContain('error code=host_memory');
    expect(await bed.control('remove id=a')).toBe('ok');
    expect(await bed.control(`set id=c memory=${133 * MiB}`)).toBe('ok');
  });

  it('stays where it is while everything fits, in ordinary turns', async () => {
    await started();
    await slice('a');
    await slice('b');
    const done = await together(['a', 'b'], set(160), 800);
    for (const f of done) expect(f.launches).toBeGreaterThan(20);
    for (const id of ['a', 'b']) expect(paging(id)).toMatchObject({ pagedIn: 0, pagedOut: 0 });
    expect(row('a').turns).toBeGreaterThan(10);
  });
});

describe('working sets that do not fit together', () => {
  it.each([
    ['allocated as ever', []],
    ['from a pool', ['managed=2']],
    ['in captured graphs', ['graph=1']],
  ])('come and go with the turns, %s', async (_, more) => {
    await started();
    await slice('a');
    await slice('b');
    const args = set(320, ...more);
    const ours = await together(['a', 'b'], args, 1800);
    const moved = [paging('a'), paging('b')];
    for (const p of moved) {
      expect(p.pagedIn).toBeGreaterThan(0);
      expect(p.pagedOut).toBeGreaterThan(0);
      expect(p.movingNs).toBeGreaterThan(0);
    }
    // Hardly anything is left to fault once the sets are known.
    const [last] = ours;
    expect((last?.moved_in ?? 0) - (last?.prefetched_in ?? 0)).toBeLessThan((last?.moved_in ?? 0) / 2);
    const bare = await together([undefined, undefined], ['managed=1', ...args], 1800);
    const sum = (all: readonly Record<string, number>[]) => all.reduce((n, f) => n + (f.work_ns ?? 0), 0);
    expect(sum(ours)).toBeGreaterThan(1.5 * sum(bare));
  });

  it('of three programs as well', async () => {
    await started();
    for (const id of ['a', 'b', 'c']) await slice(id, 320);
    const done = await together(['a', 'b', 'c'], set(256), 2000);
    for (const f of done) expect(f.work_ns).toBeGreaterThan(0);
    for (const id of ['a', 'b', 'c']) expect(paging(id).pagedIn).toBeGreaterThan(0);
  });

  it('let a program idle whose memory is needed, and go on right afterwards', async () => {
    await started();
    await slice('a');
    await slice('b');
    const idle = bed.spawn('a', 'bench/cuda_set', set(320, 'passes=3', 'linger=1'));
    const done = finished(idle);
    await expect.poll(() => paging('a').resident, { timeout: 5000 }).toBe(320 * MiB);
    const other = together(['b'], set(400), 1500);
    // 512 MiB less two contexts and a reserve, less what the other one uses: 40 MiB are left
    const left = () => Math.max(paging('a').resident, 320 * MiB - paging('a').pagedOut);
    await expect.poll(left, { timeout: 5000 }).toBeLessThan(50 * MiB);
    await other;
    idle.stdin?.end();
    expect(result((await done).out).wrong).toBe(0);
  });

  it('do not wait for a holder that is stopped with its memory on the device', async () => {
    await started();
    await slice('a');
    await slice('b');
    const stopped = bed.spawn('a', 'bench/cuda_set', set(320, 'passes=8', 'stop_after=30'));
    const done = finished(stopped);
    const state = () => / ([A-Z]) /.exec(readFileSync(`/proc/${stopped.pid}/stat`, 'utf8'))?.[1];
    await expect.poll(state, { timeout: 5000 }).toBe('T');
    const [other] = await together(['b'], set(400, 'passes=4'), 0);
    expect(other).toMatchObject({ launches: 40, wrong: 0 });
    expect(paging('a').pagedOut).toBe(0); // it could not: the driver did
    stopped.kill('SIGCONT');
    expect(result((await done).out)).toMatchObject({ launches: 80, wrong: 0 });
  });

  it('leave nothing behind when they are killed at any moment', async () => {
    await started();
    for (const id of ['a', 'b', 'c']) await slice(id, 320);
    for (let round = 0; round < 8; round++) {
      const children = ['a', 'b', 'c'].map((id) => bed.spawn(id, 'bench/cuda_set', set(256, 'ms=20000')));
      const ends = children.map((child) => finished(child));
      await new Promise((resolve) => setTimeout(resolve, 120 + round * 60));
      for (const child of children) child.kill('SIGKILL');
      for (const end of ends) expect((await end).signal).toBe('SIGKILL');
    }
    await expect.poll(() => ['a', 'b', 'c'].map((id) => row(id).processes)).toEqual([0, 0, 0]);
    await bed.control('list'); // brings the ledger up to date
    for (const id of ['a', 'b', 'c'])
      expect(row(id)).toMatchObject({
        memoryUsed: 0,
        paging: { physicalUsed: 0, workingSet: 0, resident: 0 },
      });
    const [alone] = await together(['a'], set(256, 'passes=3'), 0);
    expect(alone).toMatchObject({ wrong: 0, resident: 260 * MiB }); // ten times thirteen blocks
  });

  it('survive their arbiter', async () => {
    await started();
    await slice('a');
    await slice('b');
    const running = together(['a', 'b'], set(320), 2200);
    await expect.poll(() => paging('a').pagedIn, { timeout: 5000 }).toBeGreaterThan(0);
    await bed.stop('SIGKILL');
    await bed.start();
    for (const f of await running) expect(f.wrong).toBe(0);
    expect(paging('a').physicalCap).toBe(256 * MiB);
    expect(row('a').turns + row('b').turns).toBeGreaterThan(0);
  });
});
