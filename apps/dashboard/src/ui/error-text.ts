import { VgpuError } from '@vgpu/core';

/** What to tell a person about an error: what went wrong, and what to do. */
export function errorText(error: unknown): { title: string; hint: string | null } {
  if (error instanceof VgpuError) return { title: error.message, hint: error.hint || null };
  return { title: error instanceof Error ? error.message : String(error), hint: null };
}
