import { ActionIcon, Box, Group, Menu, Stack, Text, Tooltip, UnstyledButton } from '@mantine/core';
import {
  IconArrowsMaximize,
  IconChevronDown,
  IconChevronRight,
  IconDots,
  IconPlayerStop,
  IconRefresh,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Task } from '@vgpu/api';
import { isTerminal } from '@vgpu/core';
import { colourOf } from '../charts/colours.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { useSeriesNames, useTaskLive } from '../live/task-live.ts';
import { LogView } from '../log/log-view.tsx';
import { Elapsed } from '../ui/elapsed.tsx';
import { bytes, metricTitle, milli, score } from '../ui/figures.ts';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { useAct } from '../ui/use-act.ts';
import { jobActions } from './job-actions.ts';
import { MetricGrid } from './metric-grid.tsx';
import { progressText } from './progress-text.ts';
import { Reason } from './reason.tsx';

export const workerName = (task: Task): string => task.worker ?? `task ${task.index + 1}`;

/** Bar and words of how far a task is; live while it runs. */
export function TaskProgress({ task }: { task: Task }) {
  const live = useTaskLive(task.id);
  const running = !isTerminal(task.state);
  const progress = (running ? live.progress : null) ?? task.progress;
  const fraction = task.state === 'COMPLETED' ? 1 : (progress?.fraction ?? 0);
  const words =
    running && progress
      ? progressText(progress)
      : running
        ? task.state === 'RUNNING'
          ? 'No progress printed yet'
          : ''
        : (task.lastLine ?? '');
  return (
    <div>
      <ProgressBar fraction={fraction} state={task.state} label={`Progress of ${task.name}`} />
      <Text size="xs" c="dimmed" mt={5} className="ellipsis num" title={words} mih={18}>
        {words}
      </Text>
    </div>
  );
}

/** The latest value of the foremost metrics. */
function Figures({ task, index }: { task: Task; index: number }) {
  const { store } = useSeriesNames(task.id);
  const entries = Object.entries(task.metrics).slice(0, 4);
  if (entries.length === 0) return null;
  return (
    <Group gap="lg">
      {entries.map(([name, value]) => {
        const values = store.get(name)?.value ?? [];
        return (
          <Group key={name} gap={8} wrap="nowrap">
            <div>
              <Text size="xs" c="dimmed">
                {metricTitle(name)}
              </Text>
              <Text size="md" fw={600} className="num" lh={1.25}>
                {score(value)}
              </Text>
            </div>
            {values.length > 1 && (
              <Sparkline values={values} colour={colourOf(index)} width={64} label={`Course of ${name}`} />
            )}
          </Group>
        );
      })}
    </Group>
  );
}

function LaneMenu({ task }: { task: Task }) {
  const { act, busy } = useAct();
  const ended = isTerminal(task.state);
  return (
    <Menu position="bottom-end" width={190}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" loading={busy} aria-label={`Actions for ${task.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconPlayerStop size={16} />}
          disabled={ended}
          onClick={() => act(() => jobActions.stopTask(task.id), `${task.name} is stopped.`)}
        >
          Stop this task
        </Menu.Item>
        <Menu.Item
          leftSection={<IconRefresh size={16} />}
          disabled={!ended}
          onClick={() => act(() => jobActions.retryTask(task.id), `${task.name} is queued again.`)}
        >
          Run it again
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface LaneProps {
  task: Task;
  index: number;
  open: boolean;
  onToggle: () => void;
  pageSearch: boolean;
}

/** One worker: state, progress, charts and log. */
export function Lane({ task, index, open, onToggle, pageSearch }: LaneProps) {
  const Chevron = open ? IconChevronDown : IconChevronRight;
  const slices = task.slices
    .map((one) => `${milli(one.milli, 'GPU')} of ${one.model}, ${bytes(one.bytes)}`)
    .join(' · ');
  return (
    <Box
      component="section"
      className="panel"
      aria-label={`${workerName(task)}, ${task.name}`}
      data-task={task.id}
      data-lane={task.name}
    >
      <Stack gap={10} p="md">
        <Group gap={10} wrap="nowrap" align="flex-start">
          <UnstyledButton
            onClick={onToggle}
            aria-expanded={open}
            aria-label={`${open ? 'Fold' : 'Unfold'} ${task.name}`}
            mt={2}
          >
            <Chevron size={18} />
          </UnstyledButton>
          <Box style={{ flex: 1, minWidth: 0 }}>
            <Group gap={8} wrap="nowrap">
              <span
                aria-hidden
                style={{ width: 9, height: 9, borderRadius: 3, background: colourOf(index), flexShrink: 0 }}
              />
              <Text fw={600} className="ellipsis">
                {task.name}
              </Text>
            </Group>
            <Text size="xs" c="dimmed" className="ellipsis">
              {[task.worker ?? 'not placed yet', task.dataset, slices].filter(Boolean).join(' · ')}
            </Text>
          </Box>
          <Box ta="right">
            <StateBadge state={task.state} />
            <Text size="xs" c="dimmed">
              <Elapsed from={task.startedAt} to={task.endedAt} />
            </Text>
          </Box>
          <Group gap={0} wrap="nowrap">
            <Tooltip label="Open on its own page">
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Open ${task.name} on its own page`}
                renderRoot={(props) => (
                  <Link to="/jobs/$job/tasks/$task" params={{ job: task.job, task: task.id }} {...props} />
                )}
              >
                <IconArrowsMaximize size={17} />
              </ActionIcon>
            </Tooltip>
            <LaneMenu task={task} />
          </Group>
        </Group>
        <TaskProgress task={task} />
        <Reason task={task} />
        {open && <LaneBody task={task} index={index} pageSearch={pageSearch} />}
      </Stack>
    </Box>
  );
}

function LaneBody({ task, index, pageSearch }: { task: Task; index: number; pageSearch: boolean }) {
  const { store, names } = useSeriesNames(task.id);
  const sources = [{ name: workerName(task), colour: colourOf(index), store }];
  const drawn = names.filter((name) => (store.get(name)?.value.length ?? 0) > 1);
  return (
    <>
      <Figures task={task} index={index} />
      {drawn.length > 0 && (
        <div>
          <MetricGrid
            sources={sources}
            names={drawn}
            limit={4}
            height={120}
            minWidth={210}
            sync={`job-${task.job}`}
          />
          {drawn.length > 4 && (
            <Text size="xs" c="dimmed" mt={4}>
              {drawn.length - 4} more under Metrics, or on the page of this task.
            </Text>
          )}
        </div>
      )}
      <LogView
        task={task.id}
        name={task.name}
        open={!isTerminal(task.state)}
        height={300}
        pageSearch={pageSearch}
      />
    </>
  );
}
