/**
 * The best nodes for one shape: the top of the full order (score falling, node rising), kept while nodes
 * change one by one. All nodes outside the list rank below `floor`; when the list runs dry and there may be
 * others, it has to be refilled by a scan. So a decision costs what changed since the shape was last asked
 * for, not the number of nodes.
 */
export class Candidates {
  readonly capacity: number;
  /** Position in the fleet's change log up to which the list is current; −1 before the first scan. */
  cursor = -1;
  readonly #nodes: Int32Array;
  readonly #scores: Float64Array;
  #length = 0;
  /** Nodes outside the list rank at or below this pair; −Infinity when every feasible node is inside. */
  #floorScore = Number.NEGATIVE_INFINITY;
  #floorNode = 0;

  /** By node: 1 where it is in the list. Most nodes that change are not. */
  readonly #listed: Uint8Array;

  constructor(capacity: number, nodes: number) {
    this.capacity = capacity;
    this.#listed = new Uint8Array(nodes);
    this.#nodes = new Int32Array(capacity + 1);
    this.#scores = new Float64Array(capacity + 1);
  }

  get length(): number {
    return this.#length;
  }

  /** True when no feasible node is outside the list. */
  get complete(): boolean {
    return this.#floorScore === Number.NEGATIVE_INFINITY;
  }

  clear(): void {
    for (let i = 0; i < this.#length; i++) this.#listed[this.#nodes[i]!] = 0;
    this.#length = 0;
    this.#floorScore = Number.NEGATIVE_INFINITY;
    this.#floorNode = 0;
  }

  node(i: number): number {
    return this.#nodes[i]!;
  }

  score(i: number): number {
    return this.#scores[i]!;
  }

  remove(node: number): void {
    if (this.#listed[node] === 0) return;
    this.#listed[node] = 0;
    const at = this.#nodes.indexOf(node);
    this.#nodes.copyWithin(at, at + 1, this.#length);
    this.#scores.copyWithin(at, at + 1, this.#length);
    this.#length--;
  }

  /** Adds a node that is not in the list. */
  offer(node: number, score: number): void {
    if (score < this.#floorScore || (score === this.#floorScore && node >= this.#floorNode)) return;
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const mid = (low + high) >> 1;
      const s = this.#scores[mid]!;
      if (s > score || (s === score && this.#nodes[mid]! < node)) low = mid + 1;
      else high = mid;
    }
    if (low === this.capacity) {
      this.#floorScore = score;
      this.#floorNode = node;
      return;
    }
    this.#nodes.copyWithin(low + 1, low, this.#length);
    this.#scores.copyWithin(low + 1, low, this.#length);
    this.#nodes[low] = node;
    this.#listed[node] = 1;
    this.#scores[low] = score;
    if (this.#length < this.capacity) this.#length++;
    else {
      this.#floorScore = this.#scores[this.capacity]!;
      this.#floorNode = this.#nodes[this.capacity]!;
      this.#listed[this.#floorNode] = 0;
    }
  }
}
