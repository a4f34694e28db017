import type { Fleet } from '../placer/fleet.ts';
import type { Shape } from '../placer/shape.ts';
import type { TypicalPod } from '../placer/typical.ts';

/** Shapes with at least so many devices get nodes of their own; smaller ones find room by themselves. */
const LARGE = 8;
/** Far above any difference of values on a node, so that it decides, yet finite: nothing is refused. */
const DECISIVE = 1e5;

/**
 * Whole nodes kept for the work that needs all of a node: as many as its share of the GPU demand, taken
 * where the least is named by others and the CPU is just enough. Smaller work comes to a kept node only when
 * it fits nowhere else; large work goes to kept nodes first. Without it small pods break the last whole
 * nodes long before the cluster is full and large pods are refused early.
 */
export class KeptNodes {
  readonly #fleet: Fleet;
  /** Devices that each node is kept for; 0: not kept. */
  readonly #devices: Uint8Array;
  /** CPU (milli) that has to stay free for it. */
  readonly #cpu: Int32Array;
  readonly count: number;

  constructor(fleet: Fleet, typical: readonly TypicalPod[], pressure: Float64Array) {
    this.#fleet = fleet;
    this.#devices = new Uint8Array(fleet.count);
    this.#cpu = new Int32Array(fleet.count);
    let demand = 0;
    let capacity = 0;
    for (const t of typical) demand += t.weight * t.gpuCount * t.gpuMilli;
    for (const n of fleet.gpusByModel) capacity += n * 1000;
    // The hardest to please first; what one shape leaves of a node (rounding) goes on to the next.
    const large = typical
      .filter((t) => t.gpuCount >= LARGE)
      .sort(
        (a, b) =>
          b.gpuCount - a.gpuCount ||
          b.cpuMilli - a.cpuMilli ||
          Number(b.models.length > 0) - Number(a.models.length > 0),
      );
    let carry = 0;
    let kept = 0;
    for (const t of large) {
      carry += (t.weight * capacity) / demand;
      const want = Math.floor(carry + 0.5);
      const fitting: number[] = [];
      for (let n = 0; n < fleet.count; n++)
        if (this.#devices[n] === 0 && this.#couldHost(t, n)) fitting.push(n);
      fitting.sort(
        (a, b) =>
          pressure[fleet.model[a]!]! - pressure[fleet.model[b]!]! || fleet.cpu[a]! - fleet.cpu[b]! || a - b,
      );
      for (const n of fitting.slice(0, Math.max(0, want))) {
        this.#devices[n] = t.gpuCount;
        this.#cpu[n] = t.cpuMilli;
        kept++;
      }
      carry -= want;
    }
    this.count = kept;
  }

  #couldHost(t: TypicalPod, node: number): boolean {
    const { states } = this.#fleet;
    const vector = states.vectors[this.#fleet.state[node]!]!;
    return (
      (vector[t.gpuCount - 1] ?? -1) >= t.gpuMilli &&
      this.#fleet.cpu[node]! >= t.cpuMilli &&
      (t.models.length === 0 || t.models.includes(this.#fleet.models[this.#fleet.model[node]!]!))
    );
  }

  /** Added to the score of placing the shape on the node now. */
  bias(shape: Shape, node: number): number {
    const devices = this.#devices[node]!;
    if (devices === 0) return 0;
    const cpu = this.#fleet.cpu[node]!;
    const needed = this.#cpu[node]!;
    const vector = this.#fleet.states.vectors[this.#fleet.state[node]!]!;
    // Once it is broken or taken it is a node like any other.
    if (cpu < needed || vector[devices - 1]! < 1000) return 0;
    // The kept node with the least CPU first: those with more may be all that suits other large work.
    if (shape.gpuCount === devices) return DECISIVE - needed / 10;
    if (shape.gpuCount === 0 && cpu - shape.cpuMilli >= needed) return 0;
    return -DECISIVE;
  }
}
