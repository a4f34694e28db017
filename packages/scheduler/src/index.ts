export type { Change } from './change.ts';
export { applyPlan, changeView, makeView, RefusedChange } from './change.ts';
export type { Gang, LabelClause, Pending, Toleration } from './pending.ts';
export type { Bind, Decision, Migrate, Plan, Preempt, Repartition, Wait } from './plan.ts';
export type { WaitCode } from './reasons.ts';
export { isHopeless } from './reasons.ts';
export type { PlanOptions, Ranking } from './schedule.ts';
export { plan } from './schedule.ts';
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
  Reservation,
  RunningTask,
  Taint,
  VgpuType,
  View,
} from './view.ts';
