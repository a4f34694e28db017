import { Button, Group, Stack, Tabs, Text } from '@mantine/core';
import {
  IconChartDots3,
  IconChartLine,
  IconCopy,
  IconFiles,
  IconLayoutRows,
  IconPlayerStop,
  IconRefresh,
  IconSettings,
  IconTable,
  IconTrash,
  IconWand,
} from '@tabler/icons-react';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import type { Job } from '@vgpu/api';
import { isJobTerminal } from '@vgpu/core';
import { lazy, Suspense, useState } from 'react';
import { Config } from '../jobs/config.tsx';
import { TaskFiles } from '../jobs/files.tsx';
import { jobActions } from '../jobs/job-actions.ts';
import { JobMetrics } from '../jobs/job-metrics.tsx';
import { taskCounts } from '../jobs/job-table.tsx';
import { Lane } from '../jobs/lane.tsx';
import { Scores } from '../jobs/scores.tsx';
import { useJob } from '../live/use-job.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Elapsed } from '../ui/elapsed.tsx';
import { plural, resourcesText } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { Loading, PageAnswer } from '../ui/states.tsx';
import { useAct } from '../ui/use-act.ts';
import { When } from '../ui/when.tsx';

const Cleaning = lazy(() => import('../jobs/cleaning.tsx'));
const route = getRouteApi('/app/jobs/$job');
const tabs = ['workers', 'metrics', 'scores', 'files', 'config', 'cleaning'] as const;
const lanesAtOnce = 50;

/** One job: its workers live, scores, files, config and what cleaning did. */
export default function JobPage() {
  const { job: name } = route.useParams();
  const query = useJob(name);
  return (
    <PageAnswer query={query} title="Job">
      {(job) => <JobView job={job} />}
    </PageAnswer>
  );
}

function Actions({ job }: { job: Job }) {
  const { act, busy } = useAct();
  const navigate = useNavigate();
  const ended = isJobTerminal(job.state);
  const retriable = (job.counts.FAILED ?? 0) + (job.counts.CANCELLED ?? 0) > 0;
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconChartDots3 size={16} />}
        renderRoot={(props) => <Link to="/compare" search={{ jobs: job.id }} {...props} />}
      >
        Compare
      </Button>
      <Button
        variant="default"
        leftSection={<IconCopy size={16} />}
        renderRoot={(props) => <Link to="/new" search={{ from: job.id }} {...props} />}
      >
        Duplicate
      </Button>
      {retriable && (
        <Button
          variant="default"
          leftSection={<IconRefresh size={16} />}
          loading={busy}
          onClick={() =>
            act(() => jobActions.retry([job.id]), 'Failed and cancelled tasks are queued again.')
          }
        >
          Retry failed
        </Button>
      )}
      {ended ? (
        <Confirm
          title={`Delete ${job.name}?`}
          action="Delete job"
          onConfirm={async () => {
            await jobActions.remove([job.id]);
            await navigate({ to: '/jobs' });
          }}
          trigger={(open) => (
            <Button variant="default" leftSection={<IconTrash size={16} />} onClick={open}>
              Delete
            </Button>
          )}
        >
          Its logs, scores and files are deleted for good. Datasets stay.
        </Confirm>
      ) : (
        <Confirm
          title={`Stop ${job.name}?`}
          action="Stop job"
          onConfirm={() => jobActions.stop([job.id])}
          trigger={(open) => (
            <Button variant="default" leftSection={<IconPlayerStop size={16} />} onClick={open}>
              Stop
            </Button>
          )}
        >
          Every task that has not ended is stopped. What it printed and kept so far stays.
        </Confirm>
      )}
    </>
  );
}

function JobView({ job }: { job: Job }) {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/jobs/$job' });
  const tab = tabs.find((one) => one === search.tab) ?? 'workers';
  return (
    <Page
      tab={job.name}
      title={
        <Group component="span" gap="sm" display="inline-flex">
          {job.name}
          <StateBadge state={job.state} />
        </Group>
      }
      about={
        <Group gap="4px 14px">
          <span>
            <span className="mono">{job.script}</span> on {job.image}
          </span>
          <span>{resourcesText(job.resources)} each</span>
          <span>
            by {job.user}, <When at={job.submittedAt} />
          </span>
          <span>
            took <Elapsed from={job.startedAt} to={job.endedAt} />
          </span>
          <span>
            {plural(job.tasksTotal, 'task')}: {taskCounts(job)}
          </span>
        </Group>
      }
      actions={<Actions job={job} />}
    >
      <Tabs
        value={tab}
        onChange={(value) =>
          void navigate({ search: { tab: value === 'workers' ? undefined : (value ?? undefined) } })
        }
        keepMounted={false}
      >
        <div style={{ overflowX: 'auto', overflowY: 'hidden' }}>
          <Tabs.List style={{ flexWrap: 'nowrap', minWidth: 'max-content' }}>
            <Tabs.Tab value="workers" leftSection={<IconLayoutRows size={16} />}>
              Workers
            </Tabs.Tab>
            <Tabs.Tab value="metrics" leftSection={<IconChartLine size={16} />}>
              Metrics
            </Tabs.Tab>
            <Tabs.Tab value="scores" leftSection={<IconTable size={16} />}>
              Scores
            </Tabs.Tab>
            <Tabs.Tab value="files" leftSection={<IconFiles size={16} />}>
              Files
            </Tabs.Tab>
            <Tabs.Tab value="config" leftSection={<IconSettings size={16} />}>
              Config
            </Tabs.Tab>
            <Tabs.Tab value="cleaning" leftSection={<IconWand size={16} />}>
              Cleaning
            </Tabs.Tab>
          </Tabs.List>
        </div>
        <Tabs.Panel value="workers" pt="md">
          <Lanes job={job} />
        </Tabs.Panel>
        <Tabs.Panel value="metrics" pt="md">
          <JobMetrics job={job} />
        </Tabs.Panel>
        <Tabs.Panel value="scores" pt="md">
          <Scores job={job} />
        </Tabs.Panel>
        <Tabs.Panel value="files" pt="md">
          <Stack>
            {job.tasks.slice(0, lanesAtOnce).map((task) => (
              <TaskFiles key={task.id} task={task} />
            ))}
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="config" pt="md">
          <Config job={job} />
        </Tabs.Panel>
        <Tabs.Panel value="cleaning" pt="md">
          <Suspense fallback={<Loading />}>
            <Cleaning job={job} />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Lanes({ job }: { job: Job }) {
  const few = job.tasks.length <= 4;
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const [limit, setLimit] = useState(lanesAtOnce);
  const isOpen = (task: string) => turned.has(task) !== few;
  const toggle = (task: string) => {
    const next = new Set(turned);
    if (!next.delete(task)) next.add(task);
    setTurned(next);
  };
  const tasks = job.tasks.slice(0, limit);
  const first = tasks.find((task) => isOpen(task.id))?.id;
  return (
    <>
      <div
        style={{
          display: 'grid',
          gap: 16,
          alignItems: 'start',
          gridTemplateColumns: `repeat(auto-fit, minmax(min(100%, ${few ? 480 : 420}px), 1fr))`,
        }}
      >
        {tasks.map((task, i) => (
          <Lane
            key={task.id}
            task={task}
            index={i}
            open={isOpen(task.id)}
            onToggle={() => toggle(task.id)}
            pageSearch={task.id === first}
          />
        ))}
      </div>
      {job.tasks.length > limit && (
        <Group justify="center" mt="md">
          <Button variant="default" onClick={() => setLimit(limit + lanesAtOnce)}>
            Show more of {job.tasks.length} tasks
          </Button>
        </Group>
      )}
      {job.tasks.length === 0 && <Text c="dimmed">This job has no tasks.</Text>}
    </>
  );
}
