// The same programs under AddressSanitizer with UndefinedBehaviorSanitizer, and under ThreadSanitizer. A finding makes
// the program, or the arbiter, end with an error.
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { Bed, build, fields } from './bed.ts';

const MiB = 1 << 20;
const runtime = (name: string): string =>
  execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();

describe.each([
  { target: 'asan' as const, library: 'libasan.so' },
  { target: 'tsan' as const, library: 'libtsan.so' },
])('under $target', { concurrent: true }, ({ target, library }) => {
  let out: string;
  beforeAll(() => {
    out = build(target);
  }, 120_000);

  /** Runs a test on a bed of its own. */
  const on = async (env: Record<string, string>, test: (bed: Bed) => Promise<void>): Promise<void> => {
    const bed = new Bed({
      build: out,
      env: {
        ...env,
        // Leaks at exit are the test programs' own; the sanitizer's runtime has to come first.
        ASAN_OPTIONS: 'detect_leaks=0:verify_asan_link_order=0',
        UBSAN_OPTIONS: 'print_stacktrace=1',
        TSAN_OPTIONS: 'halt_on_error=1:report_signal_unsafe=0',
      },
    });
    try {
      await bed.start();
      await bed.slice('a', `share=300 memory=${1024 * MiB}`);
      await bed.slice('b', `share=700 memory=${1024 * MiB}`);
      await test(bed);
      expect(await bed.stop()).toBe(0); // an arbiter with a finding does not
    } finally {
      await bed.close();
    }
  };
  const preloaded = () => ({
    LD_PRELOAD: `${runtime(library)}:${out}/libvgpu-limiter.so`,
    VGPU_TEST_GLOBAL: '1',
  });
  const probe = async (bed: Bed, ...args: string[]): Promise<string> => {
    const r = await bed.run('a', 'tests/cuda_probe', args, preloaded());
    expect(r.err).toBe('');
    expect(r.code).toBe(0);
    return r.out;
  };

  it('memory is counted', () =>
    on({}, async (bed) => {
      await probe(bed, 'kinds');
      expect(fields(await probe(bed, 'exhaust', String(16 * MiB)))).toMatchObject({ pieces: 48, code: 2 });
      await probe(bed, 'race', '300');
    }));

  it('work is shared, captured and right', () =>
    on({}, async (bed) => {
      const other = bed.run('b', 'bench/cuda_load', ['ms=800', 'streams=3', 'ns=200000'], preloaded());
      expect(await probe(bed, 'result', '20')).toBe('wrong=0 host=1\n');
      expect(await probe(bed, 'capture', '5')).toBe('captures=5\n');
      expect(await other).toMatchObject({ code: 0, err: '' });
    }));

  it('memory that does not fit comes and goes', () =>
    on({ VGPU_FAKE_MEMORY: String(512 * MiB), VGPU_FAKE_CONTEXT: String(32 * MiB) }, async (bed) => {
      for (const id of ['x', 'y']) await bed.slice(id, `share=500 memory=${512 * MiB} overcommit=1`);
      const args = [`bytes=${320 * MiB}`, 'parts=10', 'ns=1000000', 'ms=1500'];
      const done = await Promise.all([
        bed.run('x', 'bench/cuda_set', args, preloaded()),
        bed.run('y', 'bench/cuda_set', args, preloaded()),
        bed.run('y', 'tests/cuda_probe', ['kinds'], preloaded()),
      ]);
      for (const r of done) expect(r).toMatchObject({ code: 0, err: '' });
      const row = await bed.row('x');
      expect(row.paging?.pagedIn).toBeGreaterThan(0);
      expect(row.paging?.pagedOut).toBeGreaterThan(0);
    }));

  it('the arbiter bears kills, rubbish and crowds', () =>
    on({}, async (bed) => {
      const victim = bed.spawn('a', 'bench/cuda_load', ['ms=30000', 'ns=200000'], preloaded());
      await expect
        .poll(() => bed.ledger().slices.find((s) => s.id === 'a')?.launches, { timeout: 10_000 })
        .toBeGreaterThan(10);
      victim.kill('SIGKILL');
      const socket = `${bed.dir}/slices/a/arbiter.sock`;
      expect((await bed.run(undefined, 'tests/hostile', [socket])).out).toContain('done');
      expect(
        fields((await bed.run(undefined, 'tests/attach', [`${bed.dir}/slices/b/arbiter.sock`, '50'])).out),
      ).toMatchObject({
        attached: 50,
      });
      expect(await bed.control('ping')).toBe('ok version=1');
      expect(await bed.control('remove id=a')).toBe('ok');
    }));

  it('settings are parsed, whatever they are', () =>
    on({}, async (bed) => {
      const r = await bed.run(undefined, 'tests/fuzz_config', ['60000', '7']);
      expect(r).toMatchObject({ code: 0, err: '' });
      expect(fields(r.out).accepted).toBeGreaterThan(1000);
    }));
});
