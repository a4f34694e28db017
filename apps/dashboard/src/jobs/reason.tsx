import { Text } from '@mantine/core';
import { IconAlertTriangle, IconHourglass, IconInfoCircle } from '@tabler/icons-react';
import type { Task } from '@vgpu/api';
import type { ReactNode } from 'react';
import { plural } from '../ui/figures.ts';
import { When } from '../ui/when.tsx';

function Note({ colour, icon, children }: { colour: string; icon: ReactNode; children: ReactNode }) {
  return (
    <div
      style={{
        display: 'flex',
        gap: 10,
        padding: '8px 12px',
        borderRadius: 8,
        border: `1px solid color-mix(in srgb, ${colour} 35%, transparent)`,
        background: `color-mix(in srgb, ${colour} 7%, var(--vg-surface))`,
      }}
    >
      <span style={{ color: colour, display: 'inline-flex', paddingTop: 1 }}>{icon}</span>
      <div style={{ minWidth: 0 }}>{children}</div>
    </div>
  );
}

/** Why a task failed, was cancelled, or waits; and what to do about it. */
export function Reason({ task }: { task: Task }) {
  if (task.state === 'QUEUED' && task.waiting) {
    const { position, message, hint, estimatedStart } = task.waiting;
    return (
      <Note colour="var(--vg-queued)" icon={<IconHourglass size={17} aria-hidden />}>
        <Text size="sm">
          Number {position} in the queue: {message}.
          {estimatedStart !== null && (
            <>
              {' '}
              Expected to start <When at={estimatedStart} />.
            </>
          )}
        </Text>
        {hint && (
          <Text size="xs" c="dimmed">
            {hint}
          </Text>
        )}
      </Note>
    );
  }
  if (!task.reason) return null;
  const failed = task.state === 'FAILED';
  const Icon = failed ? IconAlertTriangle : IconInfoCircle;
  return (
    <Note colour={failed ? 'var(--vg-failed)' : 'var(--vg-cancelled)'} icon={<Icon size={17} aria-hidden />}>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {task.reason.message}
      </Text>
      <Text size="xs" c="dimmed">
        {[
          task.exitCode !== null && failed && `Exit code ${task.exitCode}`,
          task.attempts > 1 && plural(task.attempts, 'attempt'),
          task.reason.hint,
        ]
          .filter(Boolean)
          .join(' · ')}
      </Text>
    </Note>
  );
}
