import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { IconDownload, IconTrophy } from '@tabler/icons-react';
import { type Job, routes, type Task } from '@vgpu/api';
import { bestIndex, goalOf, isJobTerminal } from '@vgpu/core';
import { useState } from 'react';
import { Bars } from '../charts/bars.tsx';
import { client } from '../server/client.ts';
import { useRoute } from '../server/use-route.ts';
import { metricTitle, score } from '../ui/figures.ts';
import { Panel } from '../ui/panel.tsx';
import { TableBox } from '../ui/scroll-box.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { Answer, Empty } from '../ui/states.tsx';

/** The table of scores, a chart to compare by one of them, and the confusion matrices. */
export function Scores({ job }: { job: Job }) {
  const table = useRoute(
    routes.jobs.metrics,
    { params: { job: job.id } },
    { every: isJobTerminal(job.state) ? undefined : 3000 },
  );
  const [metric, setMetric] = useState<string | null>(null);
  return (
    <Answer query={table} lines={6}>
      {({ columns, rows, primary, goal }) => {
        if (columns.length === 0) {
          return (
            <Panel>
              <Empty icon={IconTrophy} title="No scores yet">
                Scores that the script prints, or hands to <code>vgpu.report(y_true, y_pred)</code>, appear
                here.
              </Empty>
            </Panel>
          );
        }
        const chosen = metric ?? (primary && columns.includes(primary) ? primary : columns[0]!);
        const best = new Map(
          columns.map((name) => [
            name,
            bestIndex(
              rows.map((row) => row.values[name]),
              name === primary && goal ? goal : goalOf(name),
            ),
          ]),
        );
        return (
          <Stack gap="md">
            <Panel
              title="Scores"
              flush
              aside={
                <Group gap={6}>
                  {(['csv', 'json', 'markdown'] as const).map((format) => (
                    <Button
                      key={format}
                      size="compact-xs"
                      variant="default"
                      component="a"
                      leftSection={<IconDownload size={13} />}
                      href={client.address(routes.jobs.export, {
                        params: { job: job.id },
                        query: { format },
                      })}
                      download={`${job.name}-scores.${format === 'markdown' ? 'md' : format}`}
                    >
                      {format === 'markdown' ? 'Markdown' : format.toUpperCase()}
                    </Button>
                  ))}
                </Group>
              }
            >
              <TableBox label="Table of scores">
                <table className="table">
                  <thead>
                    <tr>
                      <th scope="col" className="sticky">
                        Task
                      </th>
                      <th scope="col">State</th>
                      {columns.map((name) => (
                        <th key={name} scope="col" className="right">
                          {metricTitle(name)}
                          {name === primary && <span title="The metric that decides"> ★</span>}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row, i) => (
                      <tr key={row.task} data-score-row={row.name}>
                        <td className="sticky">
                          <Text component="span" size="sm" fw={550}>
                            {row.name}
                          </Text>{' '}
                          {row.best && (
                            <Text component="span" size="xs" c="var(--vg-completed)" fw={600}>
                              best
                            </Text>
                          )}
                        </td>
                        <td>
                          <StateBadge state={row.state} size="sm" />
                        </td>
                        {columns.map((name) => (
                          <td
                            key={name}
                            className="right"
                            style={best.get(name) === i ? { fontWeight: 650 } : undefined}
                          >
                            {score(row.values[name])}
                          </td>
                        ))}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </TableBox>
            </Panel>
            <Panel
              title="Comparison"
              aside={
                <Select
                  size="xs"
                  w={190}
                  aria-label="Metric to compare by"
                  value={chosen}
                  onChange={setMetric}
                  allowDeselect={false}
                  searchable
                  data={columns.map((name) => ({ value: name, label: metricTitle(name) }))}
                />
              }
            >
              <Stack gap="md">
                <Bars
                  title={metricTitle(chosen)}
                  items={rows.map((row, i) => ({
                    name: row.name,
                    value: row.values[chosen] ?? null,
                    best: best.get(chosen) === i,
                  }))}
                />
              </Stack>
            </Panel>
            <Confusions tasks={job.tasks} />
          </Stack>
        );
      }}
    </Answer>
  );
}

function Confusions({ tasks }: { tasks: readonly Task[] }) {
  const with_ = tasks.filter((task) => task.confusion);
  if (with_.length === 0) return null;
  return (
    <Panel title="Confusion matrices">
      <Group gap="xl" align="flex-start">
        {with_.slice(0, 24).map((task) => (
          <Confusion key={task.id} name={task.name} confusion={task.confusion!} />
        ))}
      </Group>
    </Panel>
  );
}

function Confusion({ name, confusion }: { name: string; confusion: NonNullable<Task['confusion']> }) {
  const { labels, matrix } = confusion;
  const most = Math.max(1, ...matrix.flat());
  return (
    <table style={{ borderCollapse: 'separate', borderSpacing: 2 }} className="num">
      <caption
        style={{ captionSide: 'top', textAlign: 'left', paddingBottom: 6, fontWeight: 570, fontSize: 13 }}
      >
        {name}
      </caption>
      <thead>
        <tr>
          <td style={{ fontSize: 11, color: 'var(--mantine-color-dimmed)' }}>true ↓ predicted →</td>
          {labels.map((label) => (
            <th key={label} scope="col" style={{ fontSize: 12, fontWeight: 500, padding: '0 6px' }}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {matrix.map((row, i) => (
          <tr key={labels[i]}>
            <th scope="row" style={{ fontSize: 12, fontWeight: 500, textAlign: 'right', padding: '0 6px' }}>
              {labels[i]}
            </th>
            {row.map((value, k) => (
              <td
                key={labels[k]}
                style={{
                  minWidth: 58,
                  padding: '10px 8px',
                  textAlign: 'center',
                  borderRadius: 5,
                  fontSize: 13,
                  background: `color-mix(in srgb, ${i === k ? 'var(--vg-completed)' : 'var(--vg-failed)'} ${Math.round(4 + (value / most) * 32)}%, var(--vg-surface))`,
                }}
              >
                {value.toLocaleString('en')}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
