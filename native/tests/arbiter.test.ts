import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bed, build, fields, finished, type Load, now, sideBySide } from './bed.ts';

const MiB = 1 << 20;
let bed: Bed;
beforeAll(() => {
  build();
});
afterEach(() => bed?.close());

async function started(...args: ConstructorParameters<typeof Bed>): Promise<Bed> {
  bed = new Bed(...args);
  await bed.start();
  return bed;
}
const row = (id: string) => bed.rowNow(id);

describe('the control socket', () => {
  it('adds, changes, lists and removes slices', async () => {
    await started();
    expect(await bed.control('ping')).toBe('ok version=1');
    const dir = await bed.slice('a', 'share=250 memory=1073741824 qos=guaranteed latency=critical');
    expect(dir).toBe(join(bed.dir, 'slices', 'a'));
    expect(readFileSync(join(dir, 'slice'), 'utf8')).toContain('limit=250\nqos=guaranteed\nlatency=critical');
    expect(statSync(join(dir, 'arbiter.sock')).mode & 0o777).toBe(0o666);
    expect(row('a')).toMatchObject({
      shareMilli: 250,
      limitMilli: 250,
      qos: 'guaranteed',
      critical: true,
      memoryCap: 1 << 30,
    });
    expect(await bed.control('set id=a share=300 limit=600')).toBe('ok');
    expect(row('a')).toMatchObject({ shareMilli: 300, limitMilli: 600 });
    expect(await bed.control('list')).toBe('ok n=1\nid=a processes=0 memory_used=0 device_ns=0');
    expect(await bed.control('remove id=a')).toBe('ok');
    expect(existsSync(dir)).toBe(false);
    expect(bed.ledger().slices).toEqual([]);
  });

  it.each([
    ['add id=a', 'error code=bad_request message=missing: share'],
    ['add share=10', 'error code=bad_request message=missing: id'],
    ['add id=../x share=10', 'error code=bad_request message=value out of range: id=../x'],
    ['add id=a share=1001', 'error code=bad_request message=value out of range: share=1001'],
    ['add id=a share=500 limit=400', 'error code=bad_request message=value out of range: limit'],
    ['add id=a share=5 colour=red', 'error code=bad_request message=unknown key: colour=red'],
    ['add id=a share', 'error code=bad_request message=not of the form key=value: share'],
    ['set id=b share=5', 'error code=not_found message=no slice of this id: b'],
    ['remove id=b', 'error code=not_found message=no slice of this id: b'],
    ['frobnicate', 'error code=bad_request message=unknown request'],
  ])('answers %j with %j', async (request, answer) => {
    await started();
    expect(await bed.control(request)).toBe(answer);
  });

  it('refuses a second slice of the same id, and more than there is room for', async () => {
    await started();
    await bed.slice('s0', 'share=1');
    expect(await bed.control('add id=s0 share=1')).toMatch(/^error code=exists/);
    for (let i = 1; i < 256; i++) await bed.slice(`s${i}`, 'share=1');
    expect(await bed.control('add id=more share=1')).toMatch(/^error code=full/);
    await bed.control('remove id=s7');
    await bed.slice('more', 'share=1');
  });

  it('lets only one arbiter serve a folder', async () => {
    await started();
    const second = await bed.run(undefined, 'vgpu-arbiter', ['--dir', bed.dir, '--nvml', 'none']);
    expect(second.code).toBe(3);
    expect(second.err).toContain('another arbiter serves it');
  });
});

describe('a slice without its arbiter', () => {
  it('is refused, not unlimited', async () => {
    await started();
    await bed.slice('a', `share=500 memory=${1024 * MiB}`);
    await bed.stop();
    const r = await bed.run('a', 'tests/cuda_probe', ['init'], { VGPU_ARBITER_WAIT_MS: '100' });
    expect(fields(r.out).init).toBe(802);
  });

  it('is refused when its settings cannot be read', async () => {
    await started();
    const r = await bed.run('nowhere', 'tests/cuda_probe', ['init'], { VGPU_ARBITER_WAIT_MS: '100' });
    expect(fields(r.out).init).toBe(802);
  });

  it('goes on when the arbiter is killed and started again, with what it holds', async () => {
    await started();
    await bed.slice('a', `share=500 memory=${1024 * MiB}`);
    const load = bed.run('a', 'bench/cuda_load', ['ms=2500', 'ns=500000']);
    await expect.poll(() => row('a').launches, { timeout: 5000 }).toBeGreaterThan(10);
    await bed.stop('SIGKILL');
    await bed.start();
    await expect.poll(() => row('a').launches, { timeout: 5000 }).toBeGreaterThan(10);
    expect(row('a').memoryUsed).toBeGreaterThanOrEqual(256 * MiB);
    expect((await load).code).toBe(0);
  });

  it('ends for its processes when it is removed', async () => {
    await started();
    await bed.slice('a', `share=500 memory=${1024 * MiB}`);
    const load = bed.run('a', 'bench/cuda_load', ['ms=20000', 'ns=500000']);
    await expect.poll(() => row('a').launches, { timeout: 5000 }).toBeGreaterThan(10);
    expect(await bed.control('remove id=a')).toBe('ok');
    const r = await load;
    expect(r.code).toBe(1);
    expect(r.err).toContain('= 802');
  });
});

describe('a holder that cannot go on', () => {
  const load = (slice: string, ...more: string[]) =>
    bed.spawn(slice, 'bench/cuda_load', ['ns=500000', 'ms=30000', ...more]);

  it('loses its turn when it is stopped, and comes back', async () => {
    await started();
    await bed.slice('a', 'share=500');
    await bed.slice('b', 'share=500');
    const [a, b] = [load('a'), load('b')];
    await expect
      .poll(() => Math.min(row('a').launches, row('b').launches), { timeout: 8000 })
      .toBeGreaterThan(20);
    a.kill('SIGSTOP');
    const before = row('b').launches;
    await expect.poll(() => row('b').launches - before, { timeout: 8000 }).toBeGreaterThan(500);
    a.kill('SIGCONT');
    const then = row('a').launches;
    await expect.poll(() => row('a').launches - then, { timeout: 8000 }).toBeGreaterThan(50);
    b.kill('SIGKILL');
  });

  it('leaves nothing behind in a storm of kills', async () => {
    await started();
    await bed.slice('a', `share=500 memory=${8192 * MiB}`);
    await bed.slice('b', `share=500 memory=${8192 * MiB}`);
    const survivor = load('b');
    await expect.poll(() => row('b').launches, { timeout: 8000 }).toBeGreaterThan(10);
    for (let round = 0; round < 6; round++) {
      const victims = [0, 1, 2].map((i) =>
        i === 0 ? bed.spawn('a', 'tests/cuda_probe', ['race', '20000']) : load('a', `streams=${i + 1}`),
      );
      const ends = victims.map(finished);
      await new Promise((resolve) => setTimeout(resolve, 60 + round * 45));
      for (const v of victims) v.kill('SIGKILL');
      await Promise.all(ends);
    }
    await expect.poll(() => bed.control('list').then(() => row('a').memoryUsed), { timeout: 5000 }).toBe(0);
    expect(row('a').processes).toBe(0);
    const launches = row('b').launches;
    await expect.poll(() => row('b').launches - launches, { timeout: 8000 }).toBeGreaterThan(50);
    const end = finished(survivor);
    survivor.kill('SIGKILL');
    await end;
    await expect.poll(() => row('b').processes, { timeout: 5000 }).toBe(0);
  });

  it('cannot hang the others', async () => {
    await started({ arbiter: ['--hang-ms', '300'] });
    await bed.slice('a', 'share=500');
    await bed.slice('b', 'share=500');
    const a = bed.spawn('a', 'bench/cuda_load', ['ns=60000000000', 'depth=1', 'ms=60000']); // a kernel of a minute
    await expect.poll(() => row('a').launches, { timeout: 8000 }).toBeGreaterThan(0);
    const b = load('b');
    await expect.poll(() => row('b').launches, { timeout: 8000 }).toBeGreaterThan(100);
    expect(row('a').strips).toBeGreaterThan(0);
    a.kill('SIGKILL');
    b.kill('SIGKILL');
  });
});

describe('a hostile process', () => {
  it('that overwrites its account hurts nobody else', async () => {
    await started();
    await bed.slice('bad', `share=500 memory=${1024 * MiB}`);
    await bed.slice('good', `share=500 memory=${1024 * MiB}`);
    const r = await bed.run('bad', 'tests/hostile', [join(bed.dir, 'slices', 'bad', 'arbiter.sock')]);
    expect(r.out).toContain('done');
    expect(r.code).toBe(0);
    expect(await bed.control('ping')).toBe('ok version=1');
    const good = await bed.run('good', 'tests/cuda_probe', ['exhaust', String(MiB)]);
    expect(fields(good.out)).toMatchObject({ pieces: 768, exact: 0, over: 2 });
    expect(row('good')).toMatchObject({ memoryCap: 1024 * MiB, shareMilli: 500 });
  });
});

describe('many processes', () => {
  it('attach at once', async () => {
    await started();
    await bed.slice('many', 'share=1000');
    const r = await bed.run('many', 'tests/attach', [join(bed.dir, 'slices', 'many', 'arbiter.sock'), '300']);
    expect(r.err).toBe('');
    expect(fields(r.out)).toMatchObject({ attached: 300, distinct: 300 });
    await expect.poll(() => row('many').processes, { timeout: 5000 }).toBe(0);
  });
});

/** The slices' parts of the device time while all loads run: `ms` of it, after each slice had some. */
async function parts(loads: Load[], ms = 1200): Promise<Record<string, number>> {
  const children = loads.map((l) => bed.spawn(l.slice, 'bench/cuda_load', [...l.args, 'ms=60000']));
  const times = () => new Map(bed.ledger().slices.map((s) => [s.id, s.deviceNs]));
  const slices = [...new Set(loads.map((l) => l.slice as string))];
  const least = () => Math.min(...slices.map((s) => times().get(s) ?? 0));
  await expect.poll(least, { timeout: 15_000 }).toBeGreaterThan(20e6);
  const from = times();
  let used: [string, number][] = [];
  const total = () => {
    const to = times();
    used = slices.map((s) => [s, (to.get(s) ?? 0) - (from.get(s) ?? 0)]);
    return used.reduce((sum, [, ns]) => sum + ns, 0);
  };
  await expect.poll(total, { timeout: 20_000 }).toBeGreaterThan(ms * 1e6);
  const ends = children.map(finished);
  for (const c of children) c.kill('SIGKILL');
  await Promise.all(ends);
  const sum = used.reduce((a, [, ns]) => a + ns, 0);
  return Object.fromEntries(used.map(([s, ns]) => [s, ns / sum]));
}

describe('shares', () => {
  const cases: [string, string[], string[]][] = [
    ['the same kernels', ['ns=100000'], ['ns=100000']],
    ['many small against few huge', ['ns=5000', 'chunk=20'], ['ns=20000000']],
    ['tiny grids', ['ns=5000000', 'blocks=8'], ['ns=5000000', 'blocks=8']],
    ['graphs against streams', ['ns=100000', 'graph=20'], ['ns=100000', 'streams=4']],
    ['cooperative launches', ['ns=1000000', 'coop=1'], ['ns=300000']],
  ];
  it.each(cases)('of device time hold for %s', async (_name, a, b) => {
    await started();
    await bed.slice('a', 'share=300');
    await bed.slice('b', 'share=700');
    const part = await parts([
      { slice: 'a', args: a },
      { slice: 'b', args: b },
    ]);
    expect(part.a).toBeGreaterThan(0.27);
    expect(part.a).toBeLessThan(0.33);
  });

  it('hold for a program that pauses between its kernels: a short pause does not cost it its turn', async () => {
    await started({ arbiter: ['--idle-us', '2000'] });
    await bed.slice('a', 'share=500');
    await bed.slice('b', 'share=500');
    const part = await parts([
      { slice: 'a', args: ['ns=3000000', 'depth=1', 'gap_us=300'] }, // longer kernels than the pause that is put up with
      { slice: 'b', args: ['ns=100000'] },
    ]);
    expect(part.a).toBeGreaterThan(0.45);
    expect(part.a).toBeLessThan(0.55);
    const { launches, turns } = await bed.row('a');
    expect(launches / turns).toBeGreaterThan(1.8);
  });

  it('of several processes of a slice add up to the slice', async () => {
    await started();
    await bed.slice('a', 'share=500');
    await bed.slice('b', 'share=500');
    const part = await parts(['a', 'b', 'b', 'b'].map((slice) => ({ slice, args: ['ns=200000'] })));
    expect(part.a).toBeGreaterThan(0.46);
    expect(part.a).toBeLessThan(0.54);
  });

  it('are a ceiling for a guaranteed slice, even alone', async () => {
    await started();
    await bed.slice('a', 'share=300 qos=guaranteed');
    const start = now();
    await sideBySide(bed, [{ slice: 'a', args: ['ns=200000'] }], 1500);
    const elapsed = Number(now() - start);
    expect(row('a').deviceNs / elapsed).toBeLessThan(0.32);
    expect(row('a').deviceNs / elapsed).toBeGreaterThan(0.15);
  });

  it('leave a best-effort slice what nobody else wants', async () => {
    await started();
    await bed.slice('work', 'share=500');
    await bed.slice('rest', 'qos=best-effort');
    const together = await sideBySide(
      bed,
      [
        { slice: 'work', args: ['ns=200000'] },
        { slice: 'rest', args: ['ns=200000'] },
      ],
      1500,
    );
    expect(together[0] ?? 0).toBeGreaterThan((together[1] ?? 0) * 5);
    const [alone] = await sideBySide(bed, [{ slice: 'rest', args: ['ns=200000'] }], 1000);
    expect(alone ?? 0).toBeGreaterThan(together[1] ?? 0);
  });
});
