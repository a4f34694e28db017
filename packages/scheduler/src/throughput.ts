/** How fast a kind of work was seen to run on a model. */
export interface Observation {
  /** What makes runs comparable: a job, a script, an image. */
  readonly kind: string;
  readonly model: string;
  /** Progress per second, in any unit, as long as it is the same for all runs of the kind. */
  readonly rate: number;
}

/** An observation counts as much as so many guesses. */
const PRIOR = 1;
const ROUNDS = 20;

/**
 * Learns which model suits which work. Rates are taken as kind × model × something of their own: the first
 * two are fitted by alternating means of logarithms over all observations, so that a kind seen on one model
 * only still gets a guess for the others from what other kinds did; what was seen itself weighs more the
 * oftener it was seen. In the spirit of Gavel (Narayanan et al., OSDI'20), which schedules by normalised
 * rates, and GOGH, which fills in those that were never measured.
 */
export class Throughput {
  readonly #kinds = new Map<string, number>();
  readonly #models = new Map<string, number>();
  readonly #pairs = new Map<string, { sum: number; n: number }>();

  constructor(observations: readonly Observation[]) {
    const seen = observations.filter((o) => o.rate > 0 && Number.isFinite(o.rate));
    for (const o of seen) {
      this.#kinds.set(o.kind, 0);
      this.#models.set(o.model, 0);
      const key = pairKey(o.kind, o.model);
      const pair = this.#pairs.get(key) ?? { sum: 0, n: 0 };
      this.#pairs.set(key, { sum: pair.sum + Math.log(o.rate), n: pair.n + 1 });
    }
    for (let round = 0; round < ROUNDS; round++) {
      this.#fit(
        seen,
        this.#kinds,
        (o) => o.kind,
        (o) => this.#models.get(o.model)!,
        0,
      );
      // Pulled towards 0 a little: a model that one kind alone was seen on says little about the model.
      this.#fit(
        seen,
        this.#models,
        (o) => o.model,
        (o) => this.#kinds.get(o.kind)!,
        PRIOR / 10,
      );
    }
  }

  #fit(
    seen: readonly Observation[],
    of: Map<string, number>,
    name: (o: Observation) => string,
    rest: (o: Observation) => number,
    prior: number,
  ): void {
    const sums = new Map<string, { sum: number; n: number }>();
    for (const o of seen) {
      const s = sums.get(name(o)) ?? { sum: 0, n: prior };
      sums.set(name(o), { sum: s.sum + Math.log(o.rate) - rest(o), n: s.n + 1 });
    }
    for (const [key, { sum, n }] of sums) of.set(key, sum / n);
  }

  /**
   * Expected rates of the kind by model, the slowest being 1; fit for `Pending.throughputByModel`.
   * Undefined where nothing is known that tells models apart.
   */
  expected(kind: string, models: readonly string[]): Readonly<Record<string, number>> | undefined {
    const base = this.#kinds.get(kind) ?? 0;
    const rates: [string, number][] = [];
    for (const model of models) {
      const general = this.#models.get(model);
      if (general === undefined) continue;
      const pair = this.#pairs.get(pairKey(kind, model)) ?? { sum: 0, n: 0 };
      rates.push([model, Math.exp((pair.sum + PRIOR * (base + general)) / (pair.n + PRIOR))]);
    }
    if (rates.length < 2) return undefined;
    const slowest = Math.min(...rates.map(([, r]) => r));
    return Object.fromEntries(rates.map(([m, r]) => [m, r / slowest]));
  }
}

function pairKey(kind: string, model: string): string {
  return JSON.stringify([kind, model]);
}
