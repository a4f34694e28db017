import { Anchor, Breadcrumbs, Group, Tabs, Text } from '@mantine/core';
import { IconChartLine, IconFiles, IconInfoCircle, IconTerminal } from '@tabler/icons-react';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import type { Job, Task } from '@vgpu/api';
import { isTerminal } from '@vgpu/core';
import { colourOf } from '../charts/colours.ts';
import { TaskFiles } from '../jobs/files.tsx';
import { TaskProgress, workerName } from '../jobs/lane.tsx';
import { MetricGrid } from '../jobs/metric-grid.tsx';
import { Reason } from '../jobs/reason.tsx';
import { useSeriesNames } from '../live/task-live.ts';
import { useJob } from '../live/use-job.ts';
import { LogView } from '../log/log-view.tsx';
import { Elapsed } from '../ui/elapsed.tsx';
import { bytes, duration, milli } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { Panel } from '../ui/panel.tsx';
import { ScrollBox } from '../ui/scroll-box.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { Failed, PageAnswer } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

const route = getRouteApi('/app/jobs/$job/tasks/$task');

/** One task on its own page: the whole log beside all of its metrics. */
export default function TaskPage() {
  const { job: name, task: id } = route.useParams();
  const query = useJob(name);
  return (
    <PageAnswer query={query} title="Task">
      {(job) => {
        const task = job.tasks.find((one) => one.id === id || one.name === id);
        return task ? (
          <TaskView job={job} task={task} />
        ) : (
          <Page title="Task">
            <Failed error={new Error(`${job.name} has no task ${id}.`)} />
          </Page>
        );
      }}
    </PageAnswer>
  );
}

function TaskView({ job, task }: { job: Job; task: Task }) {
  const { tab } = route.useSearch();
  const navigate = useNavigate({ from: '/jobs/$job/tasks/$task' });
  const { store, names } = useSeriesNames(task.id);
  const sources = [{ name: workerName(task), colour: colourOf(task.index), store }];
  return (
    <Page
      tab={`${task.name} · ${job.name}`}
      title={
        <Group component="span" gap="sm" display="inline-flex">
          {task.name}
          <StateBadge state={task.state} />
        </Group>
      }
      about={
        <Breadcrumbs fz="sm" separatorMargin={6}>
          <Anchor component={Link} to="/jobs" size="sm">
            Jobs
          </Anchor>
          <Anchor
            size="sm"
            renderRoot={(props) => <Link to="/jobs/$job" params={{ job: job.id }} {...props} />}
          >
            {job.name}
          </Anchor>
          <span>{workerName(task)}</span>
        </Breadcrumbs>
      }
    >
      <div className="panel" style={{ padding: '14px 16px 8px' }}>
        <TaskProgress task={task} />
      </div>
      <Reason task={task} />
      <Tabs
        value={tab ?? 'live'}
        onChange={(value) =>
          void navigate({ search: { tab: value === 'live' ? undefined : (value ?? undefined) } })
        }
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="live" leftSection={<IconTerminal size={16} />}>
            Log and metrics
          </Tabs.Tab>
          <Tabs.Tab value="metrics" leftSection={<IconChartLine size={16} />}>
            Metrics
          </Tabs.Tab>
          <Tabs.Tab value="files" leftSection={<IconFiles size={16} />}>
            Files
          </Tabs.Tab>
          <Tabs.Tab value="details" leftSection={<IconInfoCircle size={16} />}>
            Details
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="live" pt="md">
          <div
            style={{
              display: 'grid',
              gap: 16,
              gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 480px), 1fr))',
            }}
          >
            <LogView
              task={task.id}
              name={task.name}
              open={!isTerminal(task.state)}
              height="max(420px, calc(100dvh - 330px))"
              pageSearch
            />
            {names.length > 0 && (
              <ScrollBox
                className="panel"
                label="Metrics"
                style={{ padding: 16, overflowY: 'auto', height: 'max(420px, calc(100dvh - 330px))' }}
              >
                <MetricGrid sources={sources} names={names} height={130} minWidth={220} sync={task.id} />
              </ScrollBox>
            )}
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="metrics" pt="md">
          <Panel>
            <MetricGrid sources={sources} names={names} height={190} minWidth={330} sync={task.id} />
          </Panel>
        </Tabs.Panel>
        <Tabs.Panel value="files" pt="md">
          <TaskFiles task={task} />
        </Tabs.Panel>
        <Tabs.Panel value="details" pt="md">
          <Details task={task} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Details({ task }: { task: Task }) {
  const slices = task.slices.map(
    (one) =>
      `${milli(one.milli, 'GPU')} of ${one.model} (${one.accelerator}), ${bytes(one.bytes)}, ${one.mode}, ${one.isolation} isolation`,
  );
  const { queued, start, run, teardown } = task.timings;
  return (
    <Panel flush>
      <table className="table">
        <tbody>
          <Detail name="Task">
            <span className="mono">{task.id}</span>
          </Detail>
          <Detail name="Worker">{task.worker ?? 'not placed yet'}</Detail>
          <Detail name="Container">
            <span className="mono">{task.container ?? '–'}</span>
          </Detail>
          <Detail name="Dataset">{task.dataset ?? 'none'}</Detail>
          <Detail name="Target">{task.target ?? 'none'}</Detail>
          <Detail name="Slices">{slices.length === 0 ? 'CPU only' : slices.join('; ')}</Detail>
          <Detail name="Attempts">{task.attempts}</Detail>
          <Detail name="Exit code">{task.exitCode ?? '–'}</Detail>
          <Detail name="Submitted">
            <When at={task.submittedAt} />
          </Detail>
          <Detail name="Waited in the queue">{duration(queued)}</Detail>
          <Detail name="Start, to its first line">{duration(start)}</Detail>
          <Detail name="Run">
            {run === null ? <Elapsed from={task.startedAt} to={task.endedAt} /> : duration(run)}
          </Detail>
          <Detail name="Teardown">{duration(teardown)}</Detail>
          <Detail name="Ports">
            <Ports task={task} />
          </Detail>
        </tbody>
      </table>
    </Panel>
  );
}

function Detail({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <tr>
      <th scope="row" style={{ width: 210 }}>
        {name}
      </th>
      <td style={{ overflowWrap: 'anywhere' }}>{children}</td>
    </tr>
  );
}

function Ports({ task }: { task: Task }) {
  if (task.ports.length === 0) return <Text size="sm">none</Text>;
  return (
    <Group gap="sm">
      {task.ports.map((port) => (
        <Anchor key={port} href={`/proxy/${task.id}/${port}/`} target="_blank" rel="noreferrer" size="sm">
          {port}
        </Anchor>
      ))}
    </Group>
  );
}
