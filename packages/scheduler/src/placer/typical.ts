/**
 * What work usually asks for: the distinct shapes of a trace (or of recent history) with their weights.
 * Rankings that look ahead take their picture of the future from here.
 */

/** A shape of work that a ranking may expect, with how often it comes. */
export interface TypicalPod {
  readonly cpuMilli: number;
  readonly gpuMilli: number;
  readonly gpuCount: number;
  /** Acceptable models; empty: any. */
  readonly models: readonly string[];
  readonly weight: number;
}

export interface PodShape {
  readonly cpuMilli: number;
  readonly gpuMilli: number;
  readonly gpuCount: number;
  readonly models?: readonly string[];
}

/**
 * Distinct (CPU, milli, count, models) by falling count until `coverage` of the pods is covered, as in FGD
 * (Weng et al., USENIX ATC'23, §4.2, there with coverage 0.95). Weights sum to 1 over the shapes kept.
 */
export function typicalPods(pods: Iterable<PodShape>, coverage = 1): TypicalPod[] {
  const seen = new Map<string, { pod: PodShape; models: string[]; n: number }>();
  let all = 0;
  for (const pod of pods) {
    all++;
    const models = [...new Set(pod.models ?? [])].sort();
    const key = `${pod.cpuMilli},${pod.gpuMilli},${pod.gpuCount},${models.join('|')}`;
    const entry = seen.get(key);
    if (entry) entry.n++;
    else seen.set(key, { pod, models, n: 1 });
  }
  const kept: { pod: PodShape; models: string[]; n: number }[] = [];
  let covered = 0;
  for (const entry of [...seen.values()].sort((a, b) => b.n - a.n)) {
    if (covered >= coverage * all) break;
    kept.push(entry);
    covered += entry.n;
  }
  return kept.map(({ pod, models, n }) => ({
    cpuMilli: pod.cpuMilli,
    gpuMilli: pod.gpuMilli,
    gpuCount: pod.gpuCount,
    models,
    weight: n / covered,
  }));
}
