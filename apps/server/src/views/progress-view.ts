import type { Progress as ProgressView } from '@vgpu/api';
import type { Progress } from '@vgpu/telemetry';

/** A progress in the words of the API: null for what the script does not know. */
export function progressView(progress: Progress): ProgressView {
  return {
    label: progress.label ?? null,
    current: progress.current,
    total: progress.total ?? null,
    fraction: progress.fraction ?? null,
    unit: progress.unit ?? null,
    rate: progress.rate ?? null,
    eta: progress.eta ?? null,
  };
}
