import { Candidates } from './candidates.ts';
import type { Fleet } from './fleet.ts';
import type { NodeRanking } from './ranking.ts';
import { type Shape, type ShapeSpec, shapeKey } from './shape.ts';

/** Where one shape goes: the node (by number in the fleet) and, for one device, its free milli. */
export interface Placement {
  readonly node: number;
  /** Free milli of the device that it takes; 0 where several or none are taken. */
  readonly free: number;
  /** Device state of the node once it is placed. */
  readonly next: number;
  readonly score: number;
}

const INFEASIBLE = Number.NEGATIVE_INFINITY;

/**
 * Finds the best node for a shape under one ranking: exactly the feasible node with the highest score, the
 * first in the fleet's order on ties.
 */
export class Placer {
  readonly fleet: Fleet;
  readonly ranking: NodeRanking;
  readonly #shapes = new Map<string, Shape>();
  readonly #candidates: Candidates[] = [];
  readonly #capacity: number;
  /** Marks nodes already handled in one catch-up. */
  readonly #seen: Int32Array;
  #round = 0;

  /** @param capacity candidates kept per shape; default grows with the square root of the nodes */
  constructor(
    fleet: Fleet,
    ranking: NodeRanking,
    capacity = Math.max(64, Math.ceil(4 * Math.sqrt(fleet.count))),
  ) {
    this.fleet = fleet;
    this.ranking = ranking;
    this.#capacity = capacity;
    this.#seen = new Int32Array(fleet.count);
  }

  shape(spec: ShapeSpec): Shape {
    const key = shapeKey(spec);
    let shape = this.#shapes.get(key);
    if (shape) return shape;
    const accepts = new Uint8Array(this.fleet.models.length);
    for (const [i, model] of this.fleet.models.entries()) accepts[i] = acceptsModel(spec, model) ? 1 : 0;
    const count = spec.gpuCount;
    const milli = count === 0 ? 0 : spec.gpuMilli;
    const demand = this.fleet.states.demandId({ milli, count });
    const id = this.#candidates.push(new Candidates(this.#capacity, this.fleet.count)) - 1;
    shape = { ...spec, gpuMilli: milli, id, demand, accepts };
    this.#shapes.set(key, shape);
    return shape;
  }

  /**
   * The best placement now, or undefined where the shape fits nowhere. Changes nothing.
   * @param accepts further say over a node, for this search only; need not be about that node alone
   */
  find(shape: Shape, accepts?: (node: number) => boolean): Placement | undefined {
    const list = this.#candidates[shape.id]!;
    this.#refresh(shape, list);
    for (let i = 0; i < list.length; i++) {
      const node = list.node(i);
      if (!accepts || accepts(node)) return { node, ...this.#way(shape, node), score: list.score(i) };
    }
    if (list.complete) return undefined;
    // All candidates that are kept were turned down: look at every node, this once.
    let best = -1;
    let score = INFEASIBLE;
    for (let node = 0; node < this.fleet.count; node++) {
      const s = this.score(shape, node);
      if (s > score && accepts!(node)) {
        best = node;
        score = s;
      }
    }
    return best < 0 ? undefined : { node: best, ...this.#way(shape, best), score };
  }

  /** Finds and takes. @returns the node and its device indices, or undefined where it fits nowhere */
  place(shape: Shape): { node: number; devices: number[] } | undefined {
    const found = this.find(shape);
    if (!found) return undefined;
    const { node, free, next } = found;
    const devices = this.fleet.take(
      node,
      shape.cpuMilli,
      shape.memoryBytes,
      shape.gpuMilli,
      shape.gpuCount,
      free,
      next,
    );
    return { node, devices };
  }

  /** Score of the best way to place the shape on the node; −Infinity where it does not fit. */
  score(shape: Shape, node: number): number {
    const { fleet } = this;
    const cpu = fleet.cpu[node]!;
    if (cpu < shape.cpuMilli || fleet.memory[node]! < shape.memoryBytes) return INFEASIBLE;
    if (shape.accepts[fleet.model[node]!] === 0) return INFEASIBLE;
    const { states } = fleet;
    const state = fleet.state[node]!;
    if (states.max[state]! < shape.gpuMilli) return INFEASIBLE;
    const at = states.optionsAt(shape.demand, state);
    const pool = states.pool;
    const n = pool[at]!;
    let best = INFEASIBLE;
    for (let i = 0; i < n; i++) {
      const next = pool[at + 2 + 2 * i]!;
      const s = this.ranking.score(shape, state, next, cpu);
      if (s > best) best = s;
    }
    if (best === INFEASIBLE) return best;
    if (shape.constraints) {
      if (!shape.constraints.fits(node)) return INFEASIBLE;
      best += shape.constraints.bias?.(node) ?? 0;
    }
    return this.ranking.bias ? best + this.ranking.bias(shape, node) : best;
  }

  /** Score of taking a device with so much free on the node; −Infinity where that is no way to place it. */
  deviceScore(shape: Shape, node: number, free: number): number {
    const { fleet } = this;
    const state = fleet.state[node]!;
    const at = fleet.states.optionsAt(shape.demand, state);
    for (let i = 0; i < fleet.states.pool[at]!; i++)
      if (fleet.states.pool[at + 1 + 2 * i] === free)
        return this.ranking.score(shape, state, fleet.states.pool[at + 2 + 2 * i]!, fleet.cpu[node]!);
    return INFEASIBLE;
  }

  /** The device to take, by its free milli: the best scored, the first device on ties. */
  #way(shape: Shape, node: number): { free: number; next: number } {
    const { fleet } = this;
    const state = fleet.state[node]!;
    const at = fleet.states.optionsAt(shape.demand, state);
    const { pool } = fleet.states;
    const n = pool[at]!;
    if (n === 1 || shape.gpuCount !== 1) return { free: pool[at + 1]!, next: pool[at + 2]! };
    let best = INFEASIBLE;
    let way = { free: 0, next: state };
    let device = 0;
    const base = node * fleet.stride;
    for (let i = 0; i < n; i++) {
      const free = pool[at + 1 + 2 * i]!;
      const next = pool[at + 2 + 2 * i]!;
      const s = this.ranking.score(shape, state, next, fleet.cpu[node]!);
      if (s < best) continue;
      let g = 0;
      while (fleet.gpu[base + g] !== free) g++;
      if (s > best || g < device) {
        best = s;
        way = { free, next };
        device = g;
      }
    }
    return way;
  }

  #refresh(shape: Shape, list: Candidates): void {
    const { fleet } = this;
    const end = fleet.logEnd;
    const behind = end - list.cursor;
    if (list.cursor < 0 || behind > fleet.count || !fleet.remembers(list.cursor)) {
      this.#scan(shape, list);
      return;
    }
    const round = ++this.#round;
    for (let i = list.cursor; i < end; i++) {
      const node = fleet.logged(i);
      if (this.#seen[node] === round) continue;
      this.#seen[node] = round;
      list.remove(node);
      const s = this.score(shape, node);
      if (s !== INFEASIBLE) list.offer(node, s);
    }
    list.cursor = end;
    if (list.length === 0 && !list.complete) this.#scan(shape, list);
  }

  #scan(shape: Shape, list: Candidates): void {
    list.clear();
    for (let node = 0; node < this.fleet.count; node++) {
      const s = this.score(shape, node);
      if (s !== INFEASIBLE) list.offer(node, s);
    }
    list.cursor = this.fleet.logEnd;
  }
}

/** A node with devices of several models is named `A|B`: it is acceptable where one of them is. */
function acceptsModel(spec: ShapeSpec, model: string): boolean {
  if (spec.gpuCount === 0 || !spec.models?.length) return true;
  return spec.models.includes(model) || model.split('|').some((m) => spec.models!.includes(m));
}
