/** Distinct values, ascending, and how often each stands there. */
export interface ValueCounts {
  values: Float64Array<ArrayBuffer>;
  counts: Float64Array<ArrayBuffer>;
}

/** Counts distinct doubles up to a limit, by open addressing. NaN is no value. */
export class ValueCounter {
  readonly #limit: number;
  readonly #mask: number;
  readonly #keys: Float64Array;
  readonly #counts: Uint32Array;
  #size = 0;

  /** @param limit distinct values that it has room for. */
  constructor(limit: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * limit + 2));
    this.#limit = limit;
    this.#mask = slots - 1;
    this.#keys = new Float64Array(slots);
    this.#counts = new Uint32Array(slots);
  }

  /** @returns false where there are more distinct values than the limit; it is then of no more use until `clear`. */
  push(items: Float64Array): boolean {
    const mask = this.#mask;
    const keys = this.#keys;
    const counts = this.#counts;
    const words = new Uint32Array(items.buffer, items.byteOffset, items.length * 2);
    let size = this.#size;
    for (let i = 0; i < items.length; i++) {
      const x = items[i]!;
      if (Number.isNaN(x)) continue;
      let at = slotOf(words[2 * i]!, words[2 * i + 1]!) & mask;
      while (counts[at] !== 0 && keys[at] !== x) at = (at + 1) & mask;
      if (counts[at] === 0) {
        if (size === this.#limit) return false;
        keys[at] = x;
        size++;
      }
      counts[at]!++;
    }
    this.#size = size;
    return true;
  }

  get found(): ValueCounts {
    const values = new Float64Array(this.#size);
    let size = 0;
    for (let at = 0; at <= this.#mask; at++) if (this.#counts[at] !== 0) values[size++] = this.#keys[at]!;
    values.sort();
    const words = new Uint32Array(values.buffer);
    const counts = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      let at = slotOf(words[2 * i]!, words[2 * i + 1]!) & this.#mask;
      while (!Object.is(this.#keys[at], values[i])) at = (at + 1) & this.#mask;
      counts[i] = this.#counts[at]!;
    }
    // 0 follows -0, and both are one value, as where all values are sorted.
    const zero = values.findIndex((value, i) => value === 0 && values[i + 1] === 0);
    if (zero < 0) return { values, counts };
    counts[zero + 1]! += counts[zero]!;
    values[zero + 1] = -0;
    const others = (list: Float64Array) => list.filter((_, i) => i !== zero) as Float64Array<ArrayBuffer>;
    return { values: others(values), counts: others(counts) };
  }

  clear(): void {
    this.#counts.fill(0);
    this.#size = 0;
  }
}

/** Mixes both words, as the end of MurmurHash3 (Appleby) does; 0 and -0 differ. */
function slotOf(low: number, high: number): number {
  let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** The sum of several counts; equal values become one. */
export function mergeCounts(parts: readonly ValueCounts[]): ValueCounts {
  if (parts.length === 1) return parts[0]!;
  const middle = parts.length >> 1;
  return merged(mergeCounts(parts.slice(0, middle)), mergeCounts(parts.slice(middle)));
}

function merged(one: ValueCounts, two: ValueCounts): ValueCounts {
  const [a, b] = [one.values, two.values];
  const values = new Float64Array(a.length + b.length);
  const counts = new Float64Array(values.length);
  let size = 0;
  for (let i = 0, k = 0; i < a.length || k < b.length; size++) {
    if (k === b.length || a[i]! < b[k]!) {
      values[size] = a[i]!;
      counts[size] = one.counts[i++]!;
    } else if (i === a.length || b[k]! < a[i]!) {
      values[size] = b[k]!;
      counts[size] = two.counts[k++]!;
    } else {
      values[size] = Object.is(b[k], -0) ? -0 : a[i]!;
      counts[size] = one.counts[i++]! + two.counts[k++]!;
    }
  }
  return { values: values.slice(0, size), counts: counts.slice(0, size) };
}
