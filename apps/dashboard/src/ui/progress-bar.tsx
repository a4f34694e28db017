import type { JobState, TaskState } from '@vgpu/core';
import { percent } from './figures.ts';
import { stateColour, stateText } from './state-badge.tsx';

/** How far a task or job is, in the colour of its state. */
export function ProgressBar({
  fraction,
  state,
  label,
}: {
  fraction: number;
  state: TaskState | JobState;
  label: string;
}) {
  const safe = Math.max(0, Math.min(1, fraction));
  return (
    <div
      className="meter"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(safe * 100)}
      aria-valuetext={`${percent(safe)}, ${stateText(state).toLowerCase()}`}
      style={{ height: 6, flex: 1, minWidth: 60 }}
    >
      {safe > 0 && <span style={{ width: `${safe * 100}%`, background: stateColour(state) }} />}
    </div>
  );
}
