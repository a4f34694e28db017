import { Group, Text } from '@mantine/core';
import type { Job, Task } from '@vgpu/api';
import { useState } from 'react';
import { colourOf } from '../charts/colours.ts';
import { taskLive, useSeriesNames } from '../live/task-live.ts';
import { Panel } from '../ui/panel.tsx';
import { MetricGrid } from './metric-grid.tsx';

/** More lines than this in one chart cannot be told apart. */
const most = 20;

/** Reads the names of one task and hands them up, since the number of tasks changes and hooks must not. */
function Names({ task, tell }: { task: Task; tell: (task: string, names: string) => void }) {
  const { names } = useSeriesNames(task.id);
  const key = names.join('\n');
  tell(task.id, key);
  return null;
}

/** One chart a metric with a line for each worker. */
export function JobMetrics({ job }: { job: Job }) {
  const [names, setNames] = useState<Record<string, string>>({});
  const tasks = job.tasks.slice(0, most);
  const tell = (task: string, key: string) => {
    if (names[task] !== key)
      queueMicrotask(() => setNames((old) => (old[task] === key ? old : { ...old, [task]: key })));
  };
  const all = [
    ...new Set(tasks.flatMap((task) => (names[task.id] ?? '').split('\n').filter(Boolean))),
  ].sort();
  const sources = tasks.map((task, i) => ({
    name: task.name,
    colour: colourOf(i),
    store: taskLive(task.id).series,
  }));
  return (
    <Panel title="Metrics">
      {tasks.map((task) => (
        <Names key={task.id} task={task} tell={tell} />
      ))}
      <Group gap="md" mb="sm">
        {sources.map((one) => (
          <Group key={one.name} gap={6} wrap="nowrap">
            <span aria-hidden style={{ width: 10, height: 10, borderRadius: 3, background: one.colour }} />
            <Text size="xs">{one.name}</Text>
          </Group>
        ))}
        {job.tasks.length > most && (
          <Text size="xs" c="dimmed">
            The first {most} of {job.tasks.length} tasks.
          </Text>
        )}
      </Group>
      <MetricGrid sources={sources} names={all} height={190} minWidth={330} sync={`metrics-${job.id}`} />
    </Panel>
  );
}
