import { vgpuCache, vgpuHome } from '@vgpu/core';

/** VGPU_HOME of the calling user, absolute. */
export const home = (): string => vgpuHome(process.env, process.getuid?.());

/** Where downloads are kept. */
export const cache = (): string => vgpuCache(process.env, process.getuid?.());
