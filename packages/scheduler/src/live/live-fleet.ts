import type { Offer } from '../offers.ts';
import type { Pending } from '../pending.ts';
import { Fleet, type FleetNode } from '../placer/fleet.ts';
import { Placer } from '../placer/placer.ts';
import type { Shape } from '../placer/shape.ts';
import { type PodShape, type TypicalPod, typicalPods } from '../placer/typical.ts';
import { makeRanking, RANKING_SCALE, type RankingName } from '../rankings/catalogue.ts';
import type { WasteTable } from '../rankings/learned-waste.ts';
import type { NodeView, RunningTask, View } from '../view.ts';
import { fitOn, fits } from './fit.ts';
import { preference, type Weights } from './preferences.ts';
import { withTask } from './working-node.ts';

export interface LiveOptions {
  readonly ranking: RankingName;
  readonly seed: number;
  readonly expected?: readonly TypicalPod[];
  readonly waste?: WasteTable;
  readonly weights: Weights;
  readonly repartition: boolean;
}

/** Further say over whether a task may come to a node. */
export type Guard = (task: Pending, node: number, offers: readonly Offer[]) => boolean;

/** Shapes kept by one fleet before it is made anew. */
const MAX_SHAPES = 4000;

export interface Found {
  readonly node: number;
  readonly offers: readonly Offer[];
}

/** A stable scatter of nodes: ties do not always go to the same machines of the list. */
function scatter(seed: number, id: string): number {
  let h = (seed ^ 0x811c9dc5) >>> 0;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}

function shapeOfRunning(task: RunningTask): PodShape {
  return {
    cpuMilli: task.cpuMilli,
    gpuCount: task.accelerators.length,
    gpuMilli: Math.min(1000, task.accelerators[0]?.milli ?? 0),
  };
}

function modelOf(node: NodeView): string {
  return [...new Set(node.accelerators.map((d) => d.model))].sort().join('|');
}

/** A node without any work, as rankings and `trainWaste` take it. */
export const emptyNode = (node: NodeView): FleetNode => ({
  id: node.id,
  cpuMilli: Math.floor(node.cpuMilli),
  memoryBytes: node.memoryBytes,
  model: modelOf(node),
  gpuFree: node.accelerators.map((d) => Math.floor(d.milli)),
});

/**
 * The working copy of a view's nodes under a ranking: exact objects for what fits, flat numbers beside them
 * for the order. Nodes are replaced, never changed, so an older state can be put back.
 */
export class LiveFleet {
  readonly nodes: NodeView[];
  readonly index = new Map<string, number>();
  readonly #fleet: Fleet;
  readonly #placer: Placer;
  readonly #options: LiveOptions;
  readonly #shapes = new Map<string, Shape>();
  readonly #byProject: boolean;

  constructor(view: View, pending: readonly Pending[], options: LiveOptions) {
    this.#options = options;
    this.nodes = [...view.nodes].sort(
      (a, b) => scatter(options.seed, a.id) - scatter(options.seed, b.id) || (a.id < b.id ? -1 : 1),
    );
    for (const [i, node] of this.nodes.entries()) this.index.set(node.id, i);
    this.#byProject = this.nodes.some((n) => n.accelerators.some((d) => d.oneProject !== undefined));
    this.#fleet = new Fleet(this.nodes.map(emptyNode));
    const expected =
      options.expected ?? typicalPods([...view.running.map(shapeOfRunning), ...pending].sort(byShape));
    this.#placer = new Placer(
      this.#fleet,
      makeRanking(options.ranking, this.#fleet, expected, options.waste),
    );
    // Only now what is free: which nodes a ranking keeps must not depend on the moment it was made.
    for (let i = 0; i < this.nodes.length; i++) this.#mirror(i);
  }

  /** Whether this fleet can serve the view: the same machines and the same ways of deciding. */
  serves(view: View, options: LiveOptions): boolean {
    const o = this.#options;
    return (
      options.expected !== undefined &&
      o.expected === options.expected &&
      o.waste === options.waste &&
      o.ranking === options.ranking &&
      o.seed === options.seed &&
      o.weights === options.weights &&
      o.repartition === options.repartition &&
      this.#shapes.size < MAX_SHAPES &&
      view.nodes.length === this.nodes.length &&
      view.nodes.every((n) => this.#sameMachine(n))
    );
  }

  #sameMachine(node: NodeView): boolean {
    const i = this.index.get(node.id);
    const mine = i === undefined ? undefined : this.nodes[i];
    return (
      mine === node ||
      (mine !== undefined &&
        mine.cpuMilli === node.cpuMilli &&
        mine.accelerators.length === node.accelerators.length &&
        mine.accelerators.every((d, g) => d.model === node.accelerators[g]!.model))
    );
  }

  /** Takes over the nodes that differ from those of the view. */
  follow(view: View): void {
    for (const node of view.nodes) {
      const i = this.index.get(node.id)!;
      if (this.nodes[i] !== node) this.replace(i, node);
    }
  }

  #mirror(i: number): void {
    const node = this.nodes[i]!;
    this.#fleet.set(
      i,
      node.freeCpuMilli,
      node.freeMemoryBytes,
      node.accelerators.map((d) => Math.max(0, d.freeMilli)),
    );
  }

  /** Puts a node in the place of the one with its index. */
  replace(i: number, node: NodeView): void {
    this.nodes[i] = node;
    this.#mirror(i);
  }

  /** The best node for the task now and what it would take there. Changes nothing. */
  find(task: Pending, guard?: Guard): Found | undefined {
    const shape = this.#shape(task);
    const accepts = (node: number) => {
      const offers = this.#offers(task, shape, node);
      return offers !== undefined && guard!(task, node, offers);
    };
    const found = this.#placer.find(shape, guard && accepts);
    if (!found) return undefined;
    const offers = this.#offers(task, shape, found.node);
    return offers ? { node: found.node, offers } : undefined;
  }

  /** Takes what was found. @returns the node as it was, for `replace` */
  hold(task: Pending, found: Found): NodeView {
    const before = this.nodes[found.node]!;
    this.replace(found.node, withTask(before, task, found.offers));
    return before;
  }

  #offers(task: Pending, shape: Shape, node: number): readonly Offer[] | undefined {
    const offers = fitOn(task, this.nodes[node]!, {
      recut: this.#options.repartition,
      score: (o) =>
        task.gpuCount === 1 ? this.#placer.deviceScore(shape, node, Math.floor(o.device.freeMilli)) : 0,
    });
    return typeof offers === 'string' ? undefined : offers;
  }

  /** Tasks with one key fit on the same nodes, and wait for the same things. */
  keyOf(task: Pending): string {
    // Projects matter where a device runs one at a time; elsewhere they would only multiply the shapes.
    return constraintKey(task, this.#byProject && task.gpuCount > 0 ? task.project : undefined);
  }

  #shape(task: Pending): Shape {
    const key = this.keyOf(task);
    const known = this.#shapes.get(key);
    if (known) return known;
    const scale = RANKING_SCALE[this.#options.ranking];
    const shape: Shape = this.#placer.shape({
      cpuMilli: Math.ceil(task.cpuMilli),
      memoryBytes: task.memoryBytes,
      gpuMilli: Math.ceil(task.gpuMilli),
      gpuCount: task.gpuCount,
      models: task.models,
      constraints: {
        key,
        fits: (node) => fits(task, this.nodes[node]!, { recut: this.#options.repartition }),
        bias: (node) => scale * preference(task, this.nodes[node]!, this.#options.weights),
      },
    });
    this.#shapes.set(key, shape);
    return shape;
  }
}

/** Everything about a task that decides where it fits or is preferred, as one string. */
function constraintKey(task: Pending, project: string | undefined): string {
  return JSON.stringify([
    project,
    task.cpuMilli,
    task.memoryBytes,
    task.gpuMilli,
    task.gpuCount,
    task.vramBytes,
    task.models,
    task.isolation,
    task.mode,
    task.profile,
    task.topology,
    task.nodeSelector,
    task.tolerations,
    task.node,
    task.avoidNodes,
    task.throughputByModel,
  ]);
}

function byShape(a: PodShape, b: PodShape): number {
  return (
    a.gpuCount - b.gpuCount ||
    a.gpuMilli - b.gpuMilli ||
    a.cpuMilli - b.cpuMilli ||
    ((a.models ?? []).join() < (b.models ?? []).join() ? -1 : 1)
  );
}
