import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bed, build, fields } from './bed.ts';

const MiB = 1 << 20;
let bed: Bed;
let available = false;
beforeAll(async () => {
  build();
  bed = new Bed({ opencl: true });
  await bed.start();
  available = (await bed.run(undefined, 'tests/opencl_probe', ['info'])).code === 0;
});
afterAll(() => bed.close());

describe('an OpenCL slice (PoCL, or whatever device is first)', () => {
  const when = (name: string, body: () => Promise<void>) =>
    it(name, (context) => {
      if (!available) return context.skip();
      return body();
    });

  when('shows its memory as the device’s', async () => {
    await bed.slice('info', `share=500 memory=${64 * MiB}`);
    const r = await bed.run('info', 'tests/opencl_probe', ['info']);
    expect(fields(r.out)).toEqual({ total: 64 * MiB, most: 64 * MiB });
    expect(r.err).toBe('');
  });

  when('counts buffers, images and shared virtual memory, exactly', async () => {
    await bed.slice('kinds', `share=500 memory=${64 * MiB}`);
    const r = await bed.run('kinds', 'tests/opencl_probe', ['kinds', String(64 * MiB)]);
    const taken = Object.fromEntries(
      [...r.out.matchAll(/kind=(\w+) taken=(\d+)/g)].map((m) => [m[1], Number(m[2])]),
    );
    expect(taken).toEqual({
      buffer: 3 * MiB,
      retained: 3 * MiB,
      released: 0,
      image: 512 * 256 * 16,
      host: 0,
      svm: 5 * MiB,
      end: 0,
    });
  });

  when('refuses with the code that the API has for it', async () => {
    await bed.slice('full', `share=500 memory=${64 * MiB}`);
    const r = await bed.run('full', 'tests/opencl_probe', ['exhaust', String(7 * MiB)]);
    expect(fields(r.out)).toEqual({ pieces: 9, code: -4, svm: 0 });
  });

  when('applies to its own device alone', async () => {
    await bed.slice('other', `share=500 memory=${MiB} device=opencl:Nobody%20Knows%20It:0`);
    const r = await bed.run('other', 'tests/opencl_probe', ['info']);
    expect(fields(r.out).total).toBeGreaterThan(64 * MiB);
  });

  when('gives the same results, bit for bit', async () => {
    await bed.slice('bits', `share=500 memory=${64 * MiB}`);
    const args = ['ms=150', 'rounds=500', 'items=4096', 'queues=3'];
    const plain = fields((await bed.run(undefined, 'bench/opencl_load', args)).out);
    const limited = fields((await bed.run('bits', 'bench/opencl_load', args)).out);
    expect(limited.wrong).toBe(0);
    expect(limited.checksum).toBe(plain.checksum);
    expect((await bed.row('bits')).launches).toBeGreaterThan(1);
  });

  when('gets its share of the device’s time', async () => {
    await bed.slice('a', `share=250 memory=${64 * MiB}`);
    await bed.slice('b', `share=750 memory=${64 * MiB}`);
    const times = () => {
      const by = new Map(bed.ledger().slices.map((s) => [s.id, s.deviceNs]));
      return { a: by.get('a') ?? 0, b: by.get('b') ?? 0 };
    };
    const loads = ['a', 'b'].map((s) => bed.run(s, 'bench/opencl_load', ['ms=4500', 'rounds=2000']));
    await expect.poll(() => Math.min(times().a, times().b), { timeout: 15_000 }).toBeGreaterThan(50e6);
    const from = times();
    let to = from;
    const passed = () => {
      to = times();
      return to.a + to.b - from.a - from.b;
    };
    await expect.poll(passed, { timeout: 15_000 }).toBeGreaterThan(2e9);
    const part = (to.a - from.a) / (to.a + to.b - from.a - from.b);
    for (const r of await Promise.all(loads)) expect(r).toMatchObject({ code: 0, err: '' });
    expect(part).toBeGreaterThan(0.22);
    expect(part).toBeLessThan(0.28);
  });

  when('is refused while nobody serves it', async () => {
    await bed.slice('alone', `share=500 memory=${64 * MiB}`);
    await bed.control('remove id=alone');
    const r = await bed.run('alone', 'tests/opencl_probe', ['exhaust', String(MiB)], {
      VGPU_ARBITER_WAIT_MS: '50',
    });
    expect(fields(r.out)).toEqual({ pieces: 0, code: -5, svm: 0 });
  });
});
