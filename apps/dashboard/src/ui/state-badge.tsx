import {
  IconCircleCheck,
  IconCircleMinus,
  IconCircleX,
  IconHourglass,
  IconLoader2,
  IconPlayerPause,
  IconRocket,
  IconTransfer,
  type TablerIcon,
} from '@tabler/icons-react';
import type { JobState, TaskState } from '@vgpu/core';

interface Look {
  text: string;
  colour: string;
  icon: TablerIcon;
  spins?: boolean;
}

const looks: Record<TaskState | JobState, Look> = {
  QUEUED: { text: 'Queued', colour: 'var(--vg-queued)', icon: IconHourglass },
  SCHEDULED: { text: 'Scheduled', colour: 'var(--vg-starting)', icon: IconRocket },
  STARTING: { text: 'Starting', colour: 'var(--vg-starting)', icon: IconLoader2, spins: true },
  RUNNING: { text: 'Running', colour: 'var(--vg-running)', icon: IconLoader2, spins: true },
  CHECKPOINTED: { text: 'Checkpointed', colour: 'var(--vg-queued)', icon: IconPlayerPause },
  MIGRATING: { text: 'Migrating', colour: 'var(--vg-starting)', icon: IconTransfer },
  COMPLETED: { text: 'Completed', colour: 'var(--vg-completed)', icon: IconCircleCheck },
  FAILED: { text: 'Failed', colour: 'var(--vg-failed)', icon: IconCircleX },
  CANCELLED: { text: 'Cancelled', colour: 'var(--vg-cancelled)', icon: IconCircleMinus },
};

export const stateText = (state: TaskState | JobState): string => looks[state].text;
export const stateColour = (state: TaskState | JobState): string => looks[state].colour;

/** A state as icon and word, never by colour alone. */
export function StateBadge({ state, size = 'md' }: { state: TaskState | JobState; size?: 'sm' | 'md' }) {
  const { text, colour, icon: Icon, spins } = looks[state];
  return (
    <span
      data-state={state}
      style={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 5,
        color: colour,
        fontSize: size === 'sm' ? 12 : 13,
        fontWeight: 550,
        whiteSpace: 'nowrap',
      }}
    >
      <Icon size={size === 'sm' ? 14 : 16} stroke={2} aria-hidden className={spins ? 'spin' : undefined} />
      {text}
    </span>
  );
}
