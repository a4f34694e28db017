import { GpuStates } from './gpu-states.ts';

/** A node as the placer takes it. */
export interface FleetNode {
  readonly id: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** Model name of its devices; empty for none. */
  readonly model: string;
  /** Free milli by device. */
  readonly gpuFree: readonly number[];
}

/** Free amounts of every node in flat arrays, with the interned device state of each. */
export class Fleet {
  readonly states = new GpuStates();
  readonly ids: string[] = [];
  readonly models: string[] = [];
  readonly count: number;
  /** Devices per node in the flat arrays: the most that any node has, at least 1. */
  readonly stride: number;
  readonly cpu: Int32Array;
  readonly memory: Float64Array;
  readonly gpu: Int32Array;
  readonly gpus: Uint8Array;
  readonly model: Int32Array;
  readonly state: Int32Array;
  readonly maxCpuMilli: number;
  readonly gpusByModel: number[] = [];
  /** Log of changed nodes; readers keep a cursor. Entries before `logStart` were dropped. */
  readonly #log: Int32Array;
  #logEnd = 0;

  constructor(nodes: readonly FleetNode[]) {
    this.count = nodes.length;
    this.stride = nodes.reduce((most, n) => Math.max(most, n.gpuFree.length), 1);
    this.cpu = new Int32Array(this.count);
    this.memory = new Float64Array(this.count);
    this.gpu = new Int32Array(this.count * this.stride);
    this.gpus = new Uint8Array(this.count);
    this.model = new Int32Array(this.count);
    this.state = new Int32Array(this.count);
    this.#log = new Int32Array(1 << Math.ceil(Math.log2(Math.max(1024, this.count))));
    const modelIds = new Map<string, number>();
    let maxCpu = 0;
    for (const [i, node] of nodes.entries()) {
      this.ids.push(node.id);
      let model = modelIds.get(node.model);
      if (model === undefined) {
        model = this.models.push(node.model) - 1;
        modelIds.set(node.model, model);
        this.gpusByModel.push(0);
      }
      this.cpu[i] = node.cpuMilli;
      maxCpu = Math.max(maxCpu, node.cpuMilli);
      this.memory[i] = node.memoryBytes;
      this.gpus[i] = node.gpuFree.length;
      this.model[i] = model;
      this.gpusByModel[model]! += node.gpuFree.length;
      this.gpu.set(node.gpuFree, i * this.stride);
      this.state[i] = this.states.intern(model, node.gpuFree);
    }
    this.maxCpuMilli = maxCpu;
  }

  /** Where the log ends now; entries [cursor, end) are the nodes changed since a reader's cursor. */
  get logEnd(): number {
    return this.#logEnd;
  }

  /** True when the entries since `cursor` are still there. */
  remembers(cursor: number): boolean {
    return this.#logEnd - cursor <= this.#log.length;
  }

  logged(position: number): number {
    return this.#log[position & (this.#log.length - 1)]!;
  }

  /** Sets what is free on the node. Amounts are rounded down to whole milli. */
  set(node: number, cpu: number, memory: number, gpuFree: readonly number[]): void {
    const base = node * this.stride;
    this.cpu[node] = Math.floor(cpu);
    this.memory[node] = memory;
    for (let g = 0; g < gpuFree.length; g++) this.gpu[base + g] = Math.floor(gpuFree[g]!);
    this.state[node] = this.states.intern(
      this.model[node]!,
      this.gpu.subarray(base, base + this.gpus[node]!),
    );
    this.#changed(node);
  }

  /** Says that something about the node changed that is not an amount. */
  touch(node: number): void {
    this.#changed(node);
  }

  #changed(node: number): void {
    this.#log[this.#logEnd++ & (this.#log.length - 1)] = node;
  }

  /**
   * Takes the amounts from the node: `count` devices with `milli` each. The first device is one with exactly
   * `free` milli free; several devices are the fullest that fit.
   * @param next the state that it leads to, where that is known already
   * @returns the device indices, in rising order
   */
  take(
    node: number,
    cpu: number,
    memory: number,
    milli: number,
    count: number,
    free: number,
    next?: number,
  ): number[] {
    const base = node * this.stride;
    const n = this.gpus[node]!;
    const taken: number[] = [];
    if (count === 1) {
      for (let g = 0; g < n; g++)
        if (this.gpu[base + g] === free) {
          taken.push(g);
          break;
        }
    } else if (count > 1) {
      const fitting: number[] = [];
      for (let g = 0; g < n; g++) if (this.gpu[base + g]! >= milli) fitting.push(g);
      fitting.sort((a, b) => this.gpu[base + a]! - this.gpu[base + b]! || a - b);
      taken.push(...fitting.slice(0, count).sort((a, b) => a - b));
    }
    if (taken.length !== count)
      throw new Error(`Node ${this.ids[node]} has no ${count} × ${milli} milli free.`);
    this.add(node, -cpu, -memory, taken, -milli, next);
    return taken;
  }

  /** Adds (or with negative amounts takes) on given devices. Throws where an amount would fall below 0. */
  add(
    node: number,
    cpu: number,
    memory: number,
    devices: readonly number[],
    milli: number,
    next?: number,
  ): void {
    const base = node * this.stride;
    if (this.cpu[node]! + cpu < 0 || this.memory[node]! + memory < 0)
      throw new Error(`Node ${this.ids[node]} would be over-committed.`);
    for (const g of devices)
      if (this.gpu[base + g]! + milli < 0) throw new Error(`Node ${this.ids[node]} would be over-committed.`);
    this.cpu[node]! += cpu;
    this.memory[node]! += memory;
    if (devices.length) {
      for (const g of devices) this.gpu[base + g]! += milli;
      this.state[node] =
        next ?? this.states.intern(this.model[node]!, this.gpu.subarray(base, base + this.gpus[node]!));
    }
    this.#changed(node);
  }
}
