import type { Fleet } from '../placer/fleet.ts';
import type { TypicalPod } from '../placer/typical.ts';

/**
 * π(model): the demand that names the model, per GPU that it accepts, over the overall demand per GPU. Work
 * that could run anywhere pays for taking GPUs that other work can only run on. 0 for models nobody names.
 */
export function typePressure(fleet: Fleet, typical: readonly TypicalPod[]): Float64Array {
  const pressure = new Float64Array(fleet.models.length);
  let demand = 0;
  let gpus = 0;
  for (const t of typical) demand += t.weight * t.gpuCount * t.gpuMilli;
  for (const n of fleet.gpusByModel) gpus += n;
  if (demand === 0 || gpus === 0) return pressure;
  for (const t of typical) {
    if (t.gpuCount === 0 || t.models.length === 0) continue;
    let accepted = 0;
    for (const [i, model] of fleet.models.entries())
      if (t.models.includes(model)) accepted += fleet.gpusByModel[i]!;
    if (accepted === 0) continue;
    const perGpu = (t.weight * t.gpuCount * t.gpuMilli) / accepted / (demand / gpus);
    for (const [i, model] of fleet.models.entries()) if (t.models.includes(model)) pressure[i]! += perGpu;
  }
  return pressure;
}
