import { deviceMismatch, takesWhole } from './eligible.ts';
import type { Pending } from './pending.ts';
import type { WaitCode } from './reasons.ts';
import type { AcceleratorShare, AcceleratorView, NodeView } from './view.ts';

/** What the task would hold of the device: a whole device brings its vRAM along. */
export function shareOf(task: Pending, device: AcceleratorView): AcceleratorShare {
  if (device.mode === 'passthrough')
    return { uuid: device.uuid, milli: device.milli, vramBytes: device.vramBytes };
  const whole = takesWhole(task);
  const vramBytes = task.vramBytes ?? (whole ? Math.min(device.vramBytes, device.freeVramBytes) : 0);
  return { uuid: device.uuid, milli: task.gpuMilli, vramBytes };
}

/** Why the device cannot carry a share of the task now; undefined when it can. */
export function deviceShortage(task: Pending, device: AcceleratorView): WaitCode | undefined {
  const never = deviceMismatch(task, device);
  if (never) return never;
  if (device.freeSlots !== undefined && device.freeSlots < 1) return 'slots';
  if (device.mode === 'passthrough' && device.freeMilli < device.milli) return 'gpu';
  if (task.isolation === 'hard' && device.mode === 'shared' && device.freeMilli < device.milli) return 'gpu';
  if (device.freeMilli < task.gpuMilli) return 'gpu';
  if (device.freeVramBytes < (task.vramBytes ?? 0)) return 'vram';
  return undefined;
}

/**
 * Chooses devices on one node: the fullest that still fit (so that whole devices stay whole), uuid last.
 * @returns the shares, or the reason that most devices gave.
 */
export function chooseShares(task: Pending, node: NodeView): readonly AcceleratorShare[] | WaitCode {
  if (task.gpuCount === 0) return [];
  const fitting: AcceleratorView[] = [];
  let reason: WaitCode | undefined;
  for (const device of node.accelerators) {
    const shortage = deviceShortage(task, device);
    if (shortage === undefined) fitting.push(device);
    else reason ??= shortage;
  }
  if (fitting.length < task.gpuCount) return reason ?? 'gpu';
  fitting.sort((a, b) => a.freeMilli - b.freeMilli || (a.uuid < b.uuid ? -1 : 1));
  return fitting.slice(0, task.gpuCount).map((d) => shareOf(task, d));
}
