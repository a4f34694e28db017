import type { NodeRanking, RankingContext } from '../placer/ranking.ts';
import type { TypicalPod } from '../placer/typical.ts';
import { BestFit } from './bestfit.ts';
import { Fgd } from './fgd.ts';
import { Packing } from './packing.ts';
import { Spread } from './spread.ts';

export const RANKINGS = ['default', 'fgd', 'bestfit', 'packing', 'spread'] as const;
export type RankingName = (typeof RANKINGS)[number];

/** FGD's typical pods are the commonest shapes that cover this part of the work. */
const FGD_COVERAGE = 0.95;

/**
 * Makes a ranking for a fleet.
 * @param typical all shapes of the expected work with weights, by falling weight (see `typicalPods`)
 */
export function makeRanking(
  name: RankingName,
  context: RankingContext,
  typical: readonly TypicalPod[],
): NodeRanking {
  switch (name) {
    case 'default':
      return new Fgd(context, coverage(typical, FGD_COVERAGE));
    case 'fgd':
      return new Fgd(context, coverage(typical, FGD_COVERAGE));
    case 'bestfit':
      return new BestFit(context);
    case 'packing':
      return new Packing(context);
    case 'spread':
      return new Spread(context);
  }
}

/** The heaviest shapes until `part` of the weight is covered, weights made to sum to 1 again. */
function coverage(typical: readonly TypicalPod[], part: number): TypicalPod[] {
  const kept: TypicalPod[] = [];
  let covered = 0;
  for (const t of typical) {
    if (covered >= part - 1e-12) break;
    kept.push(t);
    covered += t.weight;
  }
  return kept.map((t) => ({ ...t, weight: t.weight / covered }));
}
