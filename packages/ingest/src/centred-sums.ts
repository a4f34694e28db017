import type { Bounds } from './quantiles.ts';
import { steady } from './quantiles.ts';

/** A power of two that brings the bounds' distance to at most 1: scaling by it is exact. */
function unitScale({ min, max }: Bounds): number {
  const range = max - min;
  if (range === Infinity) return 2 ** -1025;
  return range > 0 ? 2 ** Math.min(1022, -Math.ceil(Math.log2(range))) : 1;
}

/** Values that are added side by side, and those of a sum that is then added with care. */
const lanes = 4;
const strip = 128;

/** Both sums, each followed by what its last bits have too much. */
export type SumParts = readonly [sum: number, sumLost: number, squares: number, squaresLost: number];

/**
 * Sums of distances from a centre and of their squares: short sums are added up compensated, as Kahan does (1965).
 * Exact to the last bits as long as the centre is about where the values are.
 */
export class CentredSums {
  readonly #centre: number;
  readonly #scale: number;
  #sum = 0;
  #sumLost = 0;
  #squares = 0;
  #squaresLost = 0;

  constructor(bounds: Bounds, centre: number) {
    this.#scale = unitScale(bounds);
    this.#centre = centre;
  }

  /** Adds all values of a piece but NaN, those outside the limits as the limits. */
  push(items: Float64Array, min: number, max: number): void {
    const scale = this.#scale;
    const centre = this.#centre * scale;
    const length = items.length - (items.length % lanes);
    for (let from = 0; from < length; from += strip) {
      const end = Math.min(length, from + strip);
      // Four sums side by side, each of a few terms: the processor waits for none of them.
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      let aa = 0;
      let bb = 0;
      let cc = 0;
      let dd = 0;
      for (let i = from; i < end; i += lanes) {
        const w = items[i]!;
        const x = items[i + 1]!;
        const y = items[i + 2]!;
        const z = items[i + 3]!;
        const p = Number.isNaN(w) ? 0 : (w < min ? min : w > max ? max : w) * scale - centre;
        const q = Number.isNaN(x) ? 0 : (x < min ? min : x > max ? max : x) * scale - centre;
        const r = Number.isNaN(y) ? 0 : (y < min ? min : y > max ? max : y) * scale - centre;
        const s = Number.isNaN(z) ? 0 : (z < min ? min : z > max ? max : z) * scale - centre;
        a += p;
        b += q;
        c += r;
        d += s;
        aa += p * p;
        bb += q * q;
        cc += r * r;
        dd += s * s;
      }
      this.#add(a + b + (c + d), aa + bb + (cc + dd));
    }
    for (let i = length; i < items.length; i++) {
      const x = items[i]!;
      if (Number.isNaN(x)) continue;
      const y = (x < min ? min : x > max ? max : x) * scale - centre;
      this.#add(y, y * y);
    }
  }

  #add(value: number, square: number): void {
    const term = value - this.#sumLost;
    const next = this.#sum + term;
    this.#sumLost = next - this.#sum - term;
    this.#sum = next;
    const squareTerm = square - this.#squaresLost;
    const nextSquares = this.#squares + squareTerm;
    this.#squaresLost = nextSquares - this.#squares - squareTerm;
    this.#squares = nextSquares;
  }

  /** What was added so far, for `merge`. */
  get parts(): SumParts {
    return [this.#sum, this.#sumLost, this.#squares, this.#squaresLost];
  }

  /** Adds what another with the same bounds and centre was given. */
  merge([sum, sumLost, squares, squaresLost]: SumParts): void {
    this.#add(sum, squares);
    this.#add(-sumLost, -squaresLost);
  }

  /** Adds one value many times. */
  repeat(value: number, times: number): void {
    const y = (value - this.#centre) * this.#scale;
    this.#sum += y * times - this.#sumLost;
    this.#squares += y * y * times - this.#squaresLost;
    this.#sumLost = 0;
    this.#squaresLost = 0;
  }

  /** Mean and sample standard deviation of `count` values. */
  moments(count: number): { mean: number; std: number } {
    const offset = this.#sum / count;
    const variance = (this.#squares - this.#sum * offset) / Math.max(1, count - 1);
    return {
      mean: steady(this.#centre + offset / this.#scale),
      std: steady(variance > 0 ? Math.sqrt(variance) / this.#scale : 0),
    };
  }
}
