import type { HealthReport } from '../../accelerator.ts';

/**
 * Xids that a program's own fault raises; the device is fine after them (NVIDIA, "XID Errors", application
 * causes: 13 graphics exception, 31 memory page fault, 43 reset channel, 45 preemptive removal, 68 video
 * processor exception, 109 context switch time-out).
 */
const applicationXids: ReadonlySet<number> = new Set([13, 31, 43, 45, 68, 109]);

/** What a critical Xid says of the device, or null where it says nothing of it. */
export function healthAfterXid(uuid: string, xid: number): HealthReport | null {
  if (applicationXids.has(xid)) return null;
  return {
    uuid,
    health: 'unhealthy',
    reason: `Xid ${xid}: see NVIDIA's list of Xid errors; the device may need a reset`,
  };
}
