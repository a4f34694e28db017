import { Group, MultiSelect, Stack, Switch, Text } from '@mantine/core';
import { IconChartDots3 } from '@tabler/icons-react';
import { useQueries } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type Job, routes } from '@vgpu/api';
import { bestIndex, goalOf } from '@vgpu/core';
import { useState } from 'react';
import { colourOf } from '../charts/colours.ts';
import { Overlay } from '../compare/overlay.tsx';
import { Parallel } from '../compare/parallel.tsx';
import { axesOf, type Trial, trialsOf } from '../compare/trials.ts';
import { specLines } from '../jobs/spec-text.ts';
import { routeQuery, useRoute } from '../server/use-route.ts';
import { metricTitle, plural, score } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { Panel } from '../ui/panel.tsx';
import { TableBox } from '../ui/scroll-box.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { Empty, Failed, Loading } from '../ui/states.tsx';

const route = getRouteApi('/app/compare');

/** Several jobs side by side: settings, scores, courses. */
export default function Compare() {
  const { jobs: chosen } = route.useSearch();
  const navigate = useNavigate({ from: '/compare' });
  const ids = chosen ? chosen.split(',').filter(Boolean) : [];
  const list = useRoute(routes.jobs.list, { query: { limit: 200 } });
  const answers = useQueries({ queries: ids.map((job) => routeQuery(routes.jobs.get, { params: { job } })) });
  const jobs = answers.map((one) => one.data).filter((one) => one !== undefined);
  const failed = answers.find((one) => one.error && !one.data);
  const known = new Map([...(list.data?.items ?? []), ...jobs].map((job) => [job.id, job.name]));
  return (
    <Page
      title="Compare"
      about={
        ids.length > 0
          ? `${plural(ids.length, 'job')}, ${plural(
              jobs.reduce((sum, job) => sum + job.tasks.length, 0),
              'task',
            )}`
          : 'Several jobs side by side'
      }
    >
      <MultiSelect
        aria-label="Jobs to compare"
        placeholder={ids.length === 0 ? 'Choose jobs' : undefined}
        data={[...known].map(([value, name]) => ({ value, label: `${name} · ${value.slice(-6)}` }))}
        value={ids}
        onChange={(value) => void navigate({ search: { jobs: value.join(',') || undefined } })}
        searchable
        clearable
        maxDropdownHeight={320}
        nothingFoundMessage="No job has such a name"
        clearButtonProps={{ 'aria-label': 'Choose none' }}
      />
      {failed && <Failed error={failed.error} onRetry={() => void failed.refetch()} />}
      {ids.length === 0 ? (
        <Panel>
          <Empty icon={IconChartDots3} title="Nothing chosen yet">
            Choose two or more jobs above, or mark them in the list of jobs and press Compare.
          </Empty>
        </Panel>
      ) : jobs.length === 0 ? (
        !failed && <Loading />
      ) : (
        <Comparison jobs={jobs} />
      )}
    </Page>
  );
}

function Comparison({ jobs }: { jobs: readonly Job[] }) {
  const trials = trialsOf(jobs);
  const axes = axesOf(trials);
  return (
    <Stack gap="md">
      <Panel title="Settings and scores">
        <Group gap="md" mb="sm">
          {jobs.map((job, i) => (
            <Group key={job.id} gap={6} wrap="nowrap">
              <span aria-hidden style={{ width: 10, height: 10, borderRadius: 3, background: colourOf(i) }} />
              <Link to="/jobs/$job" params={{ job: job.id }} style={{ color: 'inherit' }}>
                <Text size="sm" component="span">
                  {job.name} · {job.id.slice(-6)}
                </Text>
              </Link>
              <StateBadge state={job.state} size="sm" />
            </Group>
          ))}
        </Group>
        {axes.length > 1 ? (
          <Parallel trials={trials} axes={axes} />
        ) : (
          <Text size="sm" c="dimmed">
            These jobs have no settings that differ and no scores in common yet.
          </Text>
        )}
      </Panel>
      <Overlay trials={trials} />
      <ScoreTable trials={trials} />
      <Differences jobs={jobs} />
    </Stack>
  );
}

function ScoreTable({ trials }: { trials: readonly Trial[] }) {
  const columns = [...new Set(trials.flatMap((trial) => Object.keys(trial.task.metrics)))];
  if (columns.length === 0) return null;
  const best = new Map(
    columns.map((name) => [
      name,
      bestIndex(
        trials.map((trial) => trial.task.metrics[name]),
        goalOf(name),
      ),
    ]),
  );
  return (
    <Panel title="Scores" flush>
      <TableBox label="Scores of all tasks">
        <table className="table">
          <thead>
            <tr>
              <th scope="col" className="sticky">
                Task
              </th>
              {columns.map((name) => (
                <th key={name} scope="col" className="right">
                  {metricTitle(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {trials.map((trial, i) => (
              <tr key={trial.key}>
                <td className="sticky">
                  <Group gap={8} wrap="nowrap">
                    <span
                      aria-hidden
                      style={{
                        width: 9,
                        height: 9,
                        borderRadius: 3,
                        background: colourOf(trial.index),
                        flexShrink: 0,
                      }}
                    />
                    {trial.title}
                  </Group>
                </td>
                {columns.map((name) => (
                  <td
                    key={name}
                    className="right"
                    style={best.get(name) === i ? { fontWeight: 680 } : undefined}
                  >
                    {score(trial.task.metrics[name])}
                    {best.get(name) === i && (
                      <Text component="span" size="xs" c="var(--vg-completed)">
                        {' '}
                        best
                      </Text>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </Panel>
  );
}

/** The config of each job, line by line; lines that differ are set off. */
function Differences({ jobs }: { jobs: readonly Job[] }) {
  const [only, setOnly] = useState(true);
  const specs = jobs.map(
    (job) => new Map([...specLines(job.spec), ['Folder', job.bundle.slice(0, 12)] as const]),
  );
  const names = [...new Set(specs.flatMap((one) => [...one.keys()]))];
  const differs = (name: string) => new Set(specs.map((one) => one.get(name))).size > 1;
  const shown = only && jobs.length > 1 ? names.filter(differs) : names;
  return (
    <Panel
      title="Config"
      flush
      aside={
        jobs.length > 1 && (
          <Switch
            size="xs"
            label="Only what differs"
            checked={only}
            onChange={(event) => setOnly(event.currentTarget.checked)}
          />
        )
      }
    >
      {shown.length === 0 ? (
        <Text size="sm" c="dimmed" p="md" pt={4}>
          The jobs were asked for in the same way.
        </Text>
      ) : (
        <TableBox label="Config of each job">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Setting</th>
                {jobs.map((job) => (
                  <th key={job.id} scope="col">
                    {job.name} · {job.id.slice(-6)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((name) => (
                <tr key={name}>
                  <th scope="row" style={{ borderBottom: '1px solid var(--vg-border)' }}>
                    {name}
                  </th>
                  {specs.map((spec, i) => (
                    <td
                      key={jobs[i]!.id}
                      style={{
                        overflowWrap: 'anywhere',
                        background: differs(name)
                          ? 'color-mix(in srgb, var(--vg-queued) 9%, var(--vg-surface))'
                          : undefined,
                      }}
                    >
                      {spec.get(name) ?? '–'}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
    </Panel>
  );
}
