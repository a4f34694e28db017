import type { Bounds } from './quantiles.ts';
import { steady } from './quantiles.ts';

/** A power of two that brings the bounds' distance to at most 1: scaling by it is exact. */
function unitScale({ min, max }: Bounds): number {
  const range = max - min;
  if (range === Infinity) return 2 ** -1025;
  return range > 0 ? 2 ** Math.min(1022, -Math.ceil(Math.log2(range))) : 1;
}

/** Both sums, each followed by what its last bits have too much. */
export type SumParts = readonly [sum: number, sumLost: number, squares: number, squaresLost: number];

/**
 * Sums of distances from a centre and of their squares, compensated as Kahan does (1965): exact to the last
 * bits as long as the centre is about where the values are.
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
    let sum = this.#sum;
    let sumLost = this.#sumLost;
    let squares = this.#squares;
    let squaresLost = this.#squaresLost;
    for (let i = 0; i < items.length; i++) {
      const x = items[i]!;
      if (Number.isNaN(x)) continue;
      const y = (x < min ? min : x > max ? max : x) * scale - centre;
      const term = y - sumLost;
      const next = sum + term;
      sumLost = next - sum - term;
      sum = next;
      const square = y * y - squaresLost;
      const nextSquares = squares + square;
      squaresLost = nextSquares - squares - square;
      squares = nextSquares;
    }
    this.#sum = sum;
    this.#sumLost = sumLost;
    this.#squares = squares;
    this.#squaresLost = squaresLost;
  }

  /** What was added so far, for `merge`. */
  get parts(): SumParts {
    return [this.#sum, this.#sumLost, this.#squares, this.#squaresLost];
  }

  /** Adds what another with the same bounds and centre was given. */
  merge([sum, sumLost, squares, squaresLost]: SumParts): void {
    const term = sum - (this.#sumLost + sumLost);
    const next = this.#sum + term;
    this.#sumLost = next - this.#sum - term;
    this.#sum = next;
    const square = squares - (this.#squaresLost + squaresLost);
    const nextSquares = this.#squares + square;
    this.#squaresLost = nextSquares - this.#squares - square;
    this.#squares = nextSquares;
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
