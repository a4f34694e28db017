export type { Change } from './change.ts';
export { applyPlan, changeView, makeView, RefusedChange, runningFrom } from './change.ts';
export { type DefragmentOptions, defragment } from './defragment.ts';
export { emptyNode } from './live/live-fleet.ts';
export type { Weights } from './live/preferences.ts';
export { isLegal, type MigSpot } from './mig/placement.ts';
export { type MigProduct, type MigProfile, migProduct } from './mig/profiles.ts';
export type { Gang, LabelClause, Pending, Toleration } from './pending.ts';
export { Fleet, type FleetNode } from './placer/fleet.ts';
export { Placer } from './placer/placer.ts';
export type { NodeRanking } from './placer/ranking.ts';
export type { Shape, ShapeSpec } from './placer/shape.ts';
export { type PodShape, type TypicalPod, typicalPods } from './placer/typical.ts';
export type { Bind, Decision, Migrate, Plan, Preempt, Repartition, Wait } from './plan.ts';
export { makeRanking, RANKINGS, type RankingName } from './rankings/catalogue.ts';
export { Fgd } from './rankings/fgd.ts';
export { WasteTable } from './rankings/learned-waste.ts';
export { type TrainOptions, trainWaste } from './rankings/train-waste.ts';
export type { WaitCode } from './reasons.ts';
export { isHopeless } from './reasons.ts';
export type { PlanMemo, PlanOptions, Ranking } from './schedule.ts';
export { plan } from './schedule.ts';
export { type Observation, Throughput } from './throughput.ts';
export type {
  AcceleratorShare,
  AcceleratorView,
  Health,
  Isolation,
  MigInstance,
  Mode,
  NodeView,
  Qos,
  QueueView,
  Quota,
  RunningTask,
  Taint,
  VgpuType,
  View,
} from './view.ts';
