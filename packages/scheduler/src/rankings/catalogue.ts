import type { Fleet } from '../placer/fleet.ts';
import type { NodeRanking } from '../placer/ranking.ts';
import type { TypicalPod } from '../placer/typical.ts';
import { BestFit } from './bestfit.ts';
import { DefaultRanking } from './default.ts';
import { Fgd } from './fgd.ts';
import type { WasteTable } from './learned-waste.ts';
import { Packing } from './packing.ts';
import { Spread } from './spread.ts';

export const RANKINGS = ['default', 'fgd', 'bestfit', 'packing', 'spread'] as const;
export type RankingName = (typeof RANKINGS)[number];

/** What a wasted device is in the scores of each ranking, so that preferences can be weighed against them. */
export const RANKING_SCALE: Readonly<Record<RankingName, number>> = {
  default: 1000,
  fgd: 25,
  bestfit: 10,
  packing: 10,
  spread: 1,
};

/** FGD's typical pods are the commonest shapes that cover this part of the work. */
const FGD_COVERAGE = 0.95;

/**
 * Makes a ranking for a fleet.
 * @param typical all shapes of the expected work with weights, by falling weight (see `typicalPods`)
 * @param waste for `default`: what `trainWaste` learned; optional
 */
export function makeRanking(
  name: RankingName,
  fleet: Fleet,
  typical: readonly TypicalPod[],
  waste?: WasteTable,
): NodeRanking {
  switch (name) {
    case 'default':
      return new DefaultRanking(fleet, typical, waste);
    case 'fgd':
      return new Fgd(fleet, covering(typical, FGD_COVERAGE));
    case 'bestfit':
      return new BestFit(fleet);
    case 'packing':
      return new Packing(fleet);
    case 'spread':
      return new Spread(fleet);
  }
}

/** The heaviest shapes until `part` of the weight is covered, weights made to sum to 1 again. */
function covering(typical: readonly TypicalPod[], part: number): TypicalPod[] {
  const kept: TypicalPod[] = [];
  let covered = 0;
  for (const t of typical) {
    if (covered >= part - 1e-12) break;
    kept.push(t);
    covered += t.weight;
  }
  return kept.map((t) => ({ ...t, weight: t.weight / covered }));
}
