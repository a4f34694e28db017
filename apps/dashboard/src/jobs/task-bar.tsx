import type { JobSummary } from '@vgpu/api';
import { percent } from '../ui/figures.ts';
import { stateColour } from '../ui/state-badge.tsx';

/** How far a job is: what its tasks reached, by their states. */
export function TaskBar({ job }: { job: JobSummary }) {
  const { COMPLETED = 0, FAILED = 0, CANCELLED = 0 } = job.counts;
  const total = Math.max(1, job.tasksTotal);
  const ended = (COMPLETED + FAILED + CANCELLED) / total;
  const parts = [
    { state: 'COMPLETED' as const, share: COMPLETED / total },
    { state: 'FAILED' as const, share: FAILED / total },
    { state: 'CANCELLED' as const, share: CANCELLED / total },
    { state: 'RUNNING' as const, share: Math.max(0, Math.min(1 - ended, job.fraction - COMPLETED / total)) },
  ];
  const done = job.state === 'COMPLETED' ? 1 : job.fraction;
  return (
    <div
      className="meter"
      style={{ height: 6 }}
      role="progressbar"
      aria-label={`Progress of ${job.name}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(done * 100)}
      aria-valuetext={percent(done)}
    >
      {parts.map(({ state, share }) =>
        share > 0 ? (
          <span key={state} style={{ width: `${share * 100}%`, background: stateColour(state) }} />
        ) : null,
      )}
    </div>
  );
}
