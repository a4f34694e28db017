import { ColumnStore, type StoreDescription } from './column-store.ts';
import { joined } from './joined.ts';
import type { NumberSource, SomeBins } from './number-source.ts';
import { BinsTally, type Tally, ValueTally } from './number-tally.ts';
import type { Bounds } from './quantiles.ts';
import type { TableWorkers } from './table-workers.ts';
import type { ColumnBounds, CountAsked, Span } from './tally-blocks.ts';
import { mergeCounts, type ValueCounts } from './value-counter.ts';

/** Pieces that the rows are cut into; a fixed number, so that sums do not depend on the threads. */
const pieces = 16;
/** Tables with fewer rows are not cut. */
const leastRows = 50_000;
/** Columns of a task: what is counted of them is in memory at once. */
const together = 32;
/** Columns of a task that looks at few rows. */
const fewTogether = 8;

interface Picking {
  column: number;
  some: SomeBins;
  resolve(values: Float64Array): void;
  reject(error: unknown): void;
}

/** Columns of numbers in a column store, counted by threads. */
export class StoreNumbers implements NumberSource {
  readonly #description: StoreDescription;
  readonly #workers: TableWorkers;
  readonly #spans: Span[];
  #picking: Picking[] = [];

  /** @param workers which share the store under the name `store`. */
  constructor(description: StoreDescription, workers: TableWorkers) {
    this.#description = description;
    this.#workers = workers;
    const { length } = description.blocks;
    const size = description.rows < leastRows ? 1 : Math.min(pieces, length);
    const ends = Array.from({ length: size + 1 }, (_, i) => Math.round((i * length) / size));
    this.#spans = ends.slice(1).map((to, i) => ({ from: ends[i]!, to }));
  }

  async first(columns: readonly number[], rows: number): Promise<Float64Array[]> {
    const store = new ColumnStore(this.#description);
    try {
      return columns.map((column) => {
        const found: number[] = [];
        let seen = 0;
        for (let block = 0; seen < rows && block < this.#description.blocks.length; block++) {
          const items = store.numbers(block, column).subarray(0, rows - seen);
          for (const x of items) if (!Number.isNaN(x)) found.push(x);
          seen += items.length;
        }
        return Float64Array.from(found);
      });
    } finally {
      store.close();
    }
  }

  /** Number of values and ends of columns; Infinity and -Infinity where there is no value. */
  async bounds(columns: readonly number[]): Promise<ColumnBounds[]> {
    const found: ColumnBounds[] = columns.map(() => ({ count: 0, min: Infinity, max: -Infinity }));
    await this.#each(
      columns,
      (span, group) => this.#workers.run('bounds', { ...span, columns: group }),
      (answers, places) => {
        for (const answer of answers)
          answer.forEach(({ count, min, max }, k) => {
            const own = found[places[k]!]!;
            own.count += count;
            own.min = Math.min(own.min, min);
            own.max = Math.max(own.max, max);
          });
      },
    );
    return found;
  }

  async tally(columns: readonly { column: number; tally: Tally }[]): Promise<void> {
    await this.#each(
      columns,
      (span, group) =>
        this.#workers.run('tally', {
          ...span,
          columns: group.map(({ column, tally: { kind, plan } }) => ({ column, kind, plan })),
        }),
      (answers, places) => {
        for (const answer of answers)
          answer.forEach((state, k) => {
            columns[places[k]!]!.tally.merge(state);
          });
      },
    );
  }

  /** Distinct values with their counts; what the plan counts, where they are more than the limit. */
  async count(columns: readonly CountAsked[]): Promise<(ValueCounts | ValueTally)[]> {
    const found: (ValueCounts | ValueTally)[] = [];
    const again: { column: number; tally: ValueTally; place: number }[] = [];
    const many = await this.#exceed(columns);
    const few = [...columns.keys()].filter((place) => !many.has(place));
    for (const place of many) {
      const { column, plan } = columns[place]!;
      const tally = new ValueTally(plan!);
      found[place] = tally;
      again.push({ column, tally, place });
    }
    await this.#each(
      few.map((place) => columns[place]!),
      (span, group) => this.#workers.run('count', { ...span, columns: group }),
      (answers, some) => {
        some.forEach((one, k) => {
          const place = few[one]!;
          const { column, limit, plan } = columns[place]!;
          const parts = answers.map((answer) => answer[k]!);
          const counts = parts.flatMap((part) => ('counts' in part ? [part.counts] : []));
          if (counts.length === parts.length) {
            const sum = mergeCounts(counts);
            if (sum.values.length <= limit) {
              found[place] = sum;
              return;
            }
          }
          const tally = new ValueTally(plan!);
          found[place] = tally;
          if (counts.length > 0) again.push({ column, tally, place });
          else for (const part of parts) if ('state' in part) tally.merge(part.state);
        });
      },
    );
    await this.tally(again);
    return found;
  }

  /** Columns, by their places, whose first rows tell already that the values are more than the limit. */
  async #exceed(columns: readonly CountAsked[]): Promise<Set<number>> {
    const asked = [...columns.keys()].filter((place) => columns[place]!.plan !== null);
    const rows = 2 * Math.max(0, ...asked.map((place) => columns[place]!.limit));
    const { blocks } = this.#description;
    const to = blocks.findIndex(({ first }) => first >= rows);
    const groups: number[][] = [];
    for (let at = 0; at < asked.length; at += fewTogether) groups.push(asked.slice(at, at + fewTogether));
    const answers = await Promise.all(
      groups.map((group) =>
        this.#workers.run('exceed', {
          ...{ from: 0, to: to < 0 ? blocks.length : to },
          columns: group.map((place) => columns[place]!),
        }),
      ),
    );
    return new Set(groups.flatMap((group, i) => group.filter((_, k) => answers[i]![k])));
  }

  inBins(column: number, some: SomeBins): Promise<Float64Array> {
    return new Promise((resolve, reject) => {
      // What is asked for in one turn is looked for in one pass.
      if (this.#picking.length === 0) queueMicrotask(() => void this.#pick());
      this.#picking.push({ column, some, resolve, reject });
    });
  }

  async endsOf(column: number, some: SomeBins): Promise<Bounds> {
    const parts = await Promise.all(
      this.#spans.map((span) => this.#workers.run('ends', { ...span, columns: [{ column, some }] })),
    );
    return {
      min: Math.min(...parts.map(([ends]) => ends!.min)),
      max: Math.max(...parts.map(([ends]) => ends!.max)),
    };
  }

  async countBins(column: number, bounds: Bounds, size: number): Promise<Float64Array> {
    const tally = new BinsTally({ bounds, size });
    await this.tally([{ column, tally }]);
    return tally.state;
  }

  async #pick(): Promise<void> {
    const asked = this.#picking;
    this.#picking = [];
    try {
      await this.#each(
        asked,
        (span, group) =>
          this.#workers.run('pick', {
            ...span,
            columns: group.map(({ column, some }) => ({ column, some })),
          }),
        (answers, places) => {
          places.forEach((place, k) => {
            asked[place]!.resolve(joined(answers.map((answer) => answer[k]!)));
          });
        },
      );
    } catch (error) {
      for (const one of asked) one.reject(error);
    }
  }

  /** Has the threads work on all pieces of some columns at a time; each group's answers come in the order of the rows. */
  async #each<T, A>(
    columns: readonly T[],
    run: (span: Span, group: T[]) => Promise<A>,
    use: (answers: A[], places: number[]) => void,
  ): Promise<void> {
    const starts: number[] = [];
    for (let at = 0; at < columns.length; at += together) starts.push(at);
    let next = 0;
    // Groups overlap so that no thread waits for the last piece of one.
    const lane = async (): Promise<void> => {
      while (next < starts.length) {
        const at = starts[next++]!;
        const group = columns.slice(at, at + together);
        const answers = await Promise.all(this.#spans.map((span) => run(span, group)));
        use(
          answers,
          group.map((_, k) => at + k),
        );
      }
    };
    await Promise.all(Array.from({ length: this.#workers.size + 1 }, lane));
  }
}
