import { VgpuError } from '../errors/vgpu-error.ts';

const factors: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
  ti: 2 ** 40,
  tib: 2 ** 40,
  p: 1e15,
  pb: 1e15,
  pi: 2 ** 50,
  pib: 2 ** 50,
};

/**
 * Reads a size such as `512MiB`, `8GiB`, `1.5g` or `1048576` into bytes.
 * Units with an `i` are powers of 1024 (IEC 80000-13), those without powers of 1000; case does not matter.
 * @throws VgpuError `BAD_UNIT` when the text is no size.
 */
export function parseBytes(text: string | number): number {
  if (typeof text === 'number' && Number.isFinite(text) && text >= 0) return Math.round(text);
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(String(text));
  const factor = match ? factors[match[2]!.toLowerCase()] : undefined;
  if (!match || factor === undefined) {
    throw new VgpuError('BAD_UNIT', { what: 'size', value: String(text), example: '512MiB' });
  }
  return Math.round(Number(match[1]) * factor);
}

const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Writes bytes for people: `512 MiB`, `1.5 GiB`. At most one decimal. */
export function formatBytes(bytes: number): string {
  let value = Math.abs(bytes);
  let step = 0;
  while (value >= 1023.95 && step < steps.length - 1) {
    value /= 1024;
    step++;
  }
  const digits = step === 0 || value >= 100 || Number.isInteger(value) ? 0 : 1;
  const number = value.toFixed(digits).replace(/\.0$/, '');
  return `${bytes < 0 ? '-' : ''}${number} ${steps[step]}`;
}
