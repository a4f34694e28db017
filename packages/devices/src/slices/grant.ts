/** How a slice reaches a container; the driver room's LaunchGrant has this shape. */
export interface Grant {
  devices: { path: string; containerPath?: string; permissions?: string }[];
  cdi: string[];
  env: Record<string, string>;
  mounts: { source: string; target: string; readOnly: boolean }[];
  /**
   * Bytes of accelerator memory that may lie in the host's memory: the driver's pages there are charged to the
   * container, which needs as much more. Absent: none.
   */
  hostBytes?: number;
}

export const emptyGrant = (): Grant => ({ devices: [], cdi: [], env: {}, mounts: [] });

/** Both grants together; on the same environment variable the second wins. */
export function joinGrants(a: Grant, b: Grant): Grant {
  return {
    devices: [...a.devices, ...b.devices.filter((d) => !a.devices.some((have) => have.path === d.path))],
    cdi: [...a.cdi, ...b.cdi],
    env: { ...a.env, ...b.env },
    mounts: [...a.mounts, ...b.mounts.filter((m) => !a.mounts.some((have) => have.target === m.target))],
    ...(a.hostBytes || b.hostBytes ? { hostBytes: (a.hostBytes ?? 0) + (b.hostBytes ?? 0) } : {}),
  };
}
