import type { Fleet } from '../placer/fleet.ts';
import type { TypicalPod } from '../placer/typical.ts';
import { cpuLevel, levelCpu } from './cpu-levels.ts';
import { fixedRandom } from './random.ts';

export interface FillOptions {
  /** Random streams per estimate (R). */
  readonly streams: number;
  /** GPU pods per stream (K). */
  readonly pods: number;
  /** CPU-only pods stay in a stream with this probability: most of them find CPU elsewhere. */
  readonly cpuOnly: number;
  /** Pods come in falling order of size·(orderBase + U), U uniform in [0, 1). */
  readonly orderBase: number;
}

export const FILL_DEFAULTS: FillOptions = { streams: 16, pods: 32, cpuOnly: 0.1, orderBase: 0.8 };

const SEED = 20230710;

interface StreamPod {
  readonly cpu: number;
  readonly milli: number;
  readonly models: readonly string[];
}

/** The streams as one set of models sees them: pods that name other models are left out. */
interface ModelStreams {
  readonly id: number;
  /** Where each stream starts in the flat arrays, and the end of the last. */
  readonly starts: Int32Array;
  readonly cpu: Int32Array;
  /** 0 for CPU-only pods. */
  readonly milli: Int32Array;
  /** The least milli, and the least CPU, of the GPU pods from here to the end of the stream. */
  readonly leastMilli: Int32Array;
  readonly leastCpu: Int32Array;
}

/**
 * Expected fill: the mean, over fixed random streams of typical work, of the GPU milli that a node would
 * still accept if each stream came to it alone, large pods first. Unlike FGD's one-pod view it sees what
 * fits *together*: CPU that runs out, 190 milli that nothing takes.
 *
 * Pods that want several devices are left out: nodes are kept for them apart (`KeptNodes`), and a stream
 * that holds them says little about the fractions that decide how devices fill up.
 */
export class ExpectedFill {
  readonly #fleet: Fleet;
  readonly #single: readonly TypicalPod[];
  /** Lists of models that pods name. */
  readonly #named: readonly (readonly string[])[];
  readonly #drawing: FillOptions;
  #drawn: readonly StreamPod[][] | undefined;
  readonly #byModel: (ModelStreams | undefined)[] = [];
  readonly #bySignature = new Map<string, ModelStreams>();
  /** Estimates by (streams, free devices), which many states share, then by CPU level; NaN: unknown. */
  readonly #memo = new Map<string, Float64Array>();
  readonly #ofState: (Float64Array | undefined)[] = [];
  readonly #levels: number;
  readonly #free: Int32Array;

  constructor(fleet: Fleet, typical: readonly TypicalPod[], options: Partial<FillOptions> = {}) {
    this.#fleet = fleet;
    const o = { ...FILL_DEFAULTS, ...options };
    this.#levels = cpuLevel(fleet.maxCpuMilli) + 1;
    this.#free = new Int32Array(fleet.stride);
    this.#single = typical.filter((t) => t.gpuCount < 2);
    this.#named = this.#single.filter((t) => t.gpuCount > 0 && t.models.length > 0).map((t) => t.models);
    this.#drawing = o;
  }

  /** Drawn when first needed: a cluster without free devices never needs them. */
  get #streams(): readonly StreamPod[][] {
    this.#drawn ??= drawStreams(this.#single, this.#drawing);
    return this.#drawn;
  }

  /** GPU milli that a node with this device state and free CPU (milli) is expected to accept still. */
  value(state: number, cpu: number): number {
    let memo = this.#ofState[state];
    if (!memo) {
      memo = this.#memoOf(state);
      this.#ofState[state] = memo;
    }
    const level = cpuLevel(cpu);
    let v = memo[level]!;
    if (Number.isNaN(v)) {
      v = this.#compute(state, levelCpu(level));
      memo[level] = v;
    }
    return v;
  }

  /** Full devices add nothing, and models that the same pods accept are alike: such states share estimates. */
  #memoOf(state: number): Float64Array {
    const { id } = this.#modelStreams(this.#fleet.states.model[state]!);
    const key = `${id}:${this.#fleet.states.vectors[state]!.filter((f) => f > 0).join()}`;
    let memo = this.#memo.get(key);
    if (!memo) {
      memo = new Float64Array(this.#levels).fill(Number.NaN);
      this.#memo.set(key, memo);
    }
    return memo;
  }

  #modelStreams(model: number): ModelStreams {
    const known = this.#byModel[model];
    if (known) return known;
    const name = this.#fleet.models[model]!;
    const starts: number[] = [];
    const cpu: number[] = [];
    const milli: number[] = [];
    for (const stream of this.#streams) {
      starts.push(cpu.length);
      for (const pod of stream) {
        if (pod.models.length > 0 && !pod.models.includes(name)) continue;
        cpu.push(pod.cpu);
        milli.push(pod.milli);
      }
    }
    starts.push(cpu.length);
    // Streams only ever leave pods out, so which models' names they let in says all.
    const signature = this.#named.filter((models) => models.includes(name)).join(';');
    let made = this.#bySignature.get(signature);
    if (!made) {
      made = {
        id: this.#bySignature.size,
        starts: Int32Array.from(starts),
        cpu: Int32Array.from(cpu),
        milli: Int32Array.from(milli),
        ...leastFromHere(starts, cpu, milli),
      };
      this.#bySignature.set(signature, made);
    }
    this.#byModel[model] = made;
    return made;
  }

  #compute(state: number, cpuFree: number): number {
    const total = this.#fleet.states.total[state]!;
    if (total === 0 || this.#streams.length === 0) return 0;
    const vector = this.#fleet.states.vectors[state]!;
    const streams = this.#modelStreams(this.#fleet.states.model[state]!);
    const { starts, cpu, milli, leastMilli, leastCpu } = streams;
    const free = this.#free;
    let filled = 0;
    for (let s = 0; s + 1 < starts.length; s++) {
      // Rising order, so the first that fits is the fullest that fits; full devices are left out.
      let m = 0;
      for (let i = vector.length - 1; i >= 0; i--) if (vector[i]! > 0) free[m++] = vector[i]!;
      let cpuLeft = cpuFree;
      let low = 0;
      for (let i = starts[s]!; i < starts[s + 1]!; i++) {
        // Nothing that is still to come fits any more.
        if (free[m - 1]! < leastMilli[i]! || cpuLeft < leastCpu[i]!) break;
        const need = milli[i]!;
        if (cpu[i]! > cpuLeft || free[m - 1]! < need) continue;
        cpuLeft -= cpu[i]!;
        if (need === 0) continue;
        let g = low;
        while (free[g]! < need) g++;
        const rest = free[g]! - need;
        while (g > low && free[g - 1]! > rest) {
          free[g] = free[g - 1]!;
          g--;
        }
        free[g] = rest;
        filled += need;
        if (rest === 0 && ++low === m) break;
      }
    }
    return filled / (starts.length - 1);
  }
}

function drawStreams(single: readonly TypicalPod[], o: FillOptions): StreamPod[][] {
  const streams: StreamPod[][] = [];
  if (!single.some((t) => t.gpuCount === 1)) return streams;
  const random = fixedRandom(SEED);
  const gpu = single.filter((t) => t.gpuCount === 1);
  const cpuOnly = single.filter((t) => t.gpuCount === 0);
  const weight = (list: readonly TypicalPod[]) => list.reduce((sum, t) => sum + t.weight, 0);
  // As many CPU-only pods as come with so many GPU pods, less those that find CPU elsewhere.
  const perStream = (o.pods * o.cpuOnly * weight(cpuOnly)) / weight(gpu);
  const gpuPods = dealt(gpu, o.streams * o.pods, random);
  const cpuPods = dealt(cpuOnly, Math.min(Math.round(o.streams * perStream), o.streams * o.pods), random);
  for (let s = 0; s < o.streams; s++) {
    const mine = [
      ...gpuPods.slice(s * o.pods, (s + 1) * o.pods).map((pod) => ({
        pod,
        key: pod.gpuMilli * (o.orderBase + random()),
      })),
      // CPU-only pods come at random places between the GPU pods, whose keys reach 1000·(orderBase + 1).
      ...cpuPods
        .filter((_, i) => i % o.streams === s)
        .map((pod) => ({ pod, key: random() * 1000 * (o.orderBase + 1) })),
    ];
    mine.sort((a, b) => b.key - a.key);
    streams.push(
      mine.map(({ pod }) => ({
        cpu: pod.cpuMilli,
        milli: pod.gpuCount > 0 ? pod.gpuMilli : 0,
        models: pod.gpuCount > 0 ? pod.models : [],
      })),
    );
  }
  return streams;
}

/**
 * So many pods in random order, each shape as often as its weight says (systematic sampling): with plain
 * draws a rare type would be missing by chance, and its models would look free for all.
 */
function dealt(list: readonly TypicalPod[], n: number, random: () => number): TypicalPod[] {
  const pods: TypicalPod[] = [];
  const step = list.reduce((sum, t) => sum + t.weight, 0) / n;
  let next = step * random();
  let below = 0;
  for (const t of list) {
    below += t.weight;
    for (; next < below && pods.length < n; next += step) pods.push(t);
  }
  for (let i = pods.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [pods[i], pods[j]] = [pods[j]!, pods[i]!];
  }
  return pods;
}

function leastFromHere(
  starts: readonly number[],
  cpu: readonly number[],
  milli: readonly number[],
): { leastMilli: Int32Array; leastCpu: Int32Array } {
  const none = 2 ** 31 - 1;
  const leastMilli = new Int32Array(cpu.length);
  const leastCpu = new Int32Array(cpu.length);
  for (let s = 0; s + 1 < starts.length; s++) {
    let lowMilli = none;
    let lowCpu = none;
    for (let i = starts[s + 1]! - 1; i >= starts[s]!; i--) {
      if (milli[i]! > 0) {
        lowMilli = Math.min(lowMilli, milli[i]!);
        lowCpu = Math.min(lowCpu, cpu[i]!);
      }
      leastMilli[i] = lowMilli;
      leastCpu[i] = lowCpu;
    }
  }
  return { leastMilli, leastCpu };
}
