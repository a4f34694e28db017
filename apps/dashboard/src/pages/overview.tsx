import { Anchor, Button, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconPlus,
  IconProgress,
  IconTrophy,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type JobSummary, routes, type Topology } from '@vgpu/api';
import { colourOf } from '../charts/colours.ts';
import { JobTable } from '../jobs/job-table.tsx';
import { useRoute } from '../server/use-route.ts';
import { bytes, cores, milli, plural } from '../ui/figures.ts';
import { Meter, type Segment } from '../ui/meter.tsx';
import { Page } from '../ui/page.tsx';
import { Panel } from '../ui/panel.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

type Service = Topology['services'][number];

/** What each job holds, summed over its workers. */
function byJob(
  services: readonly Service[],
  names: ReadonlyMap<string, string>,
  of: (one: Service) => number,
  write: (value: number) => string,
): Segment[] {
  const sums = new Map<string, number>();
  for (const one of services) {
    if (one.kind !== 'worker') continue;
    const name = (one.job && names.get(one.job)) || one.job || one.name;
    sums.set(name, (sums.get(name) ?? 0) + of(one));
  }
  return [...sums].map(([name, value], i) => ({ name, value, text: write(value), colour: colourOf(i) }));
}

function Capacity({ running }: { running: readonly JobSummary[] }) {
  const capacity = useRoute(routes.machine.capacity, {}, { every: 5000 });
  const topology = useRoute(routes.machine.topology, {}, { every: 5000 });
  const names = new Map(running.map((job) => [job.id, job.name]));
  const share = new Map(running.map((job) => [job.id, job.resources]));
  const services = topology.data?.services ?? [];
  const segments = (of: (one: Service) => number, write: (value: number) => string) => {
    const parts = byJob(services, names, of, write);
    return parts.length > 0 ? parts : undefined;
  };
  const gpus = (value: number) => milli(value, 'GPU');
  return (
    <Panel
      title="Capacity"
      aside={
        capacity.data && (
          <Text size="sm" c="dimmed">
            {plural(capacity.data.workers.running, 'worker')} running · {capacity.data.workers.warm} warm
          </Text>
        )
      }
    >
      <Answer query={capacity} lines={4}>
        {(has) => (
          <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl" verticalSpacing="md">
            <Meter
              label="CPU"
              {...has.cpu}
              write={cores}
              segments={segments((one) => share.get(one.job ?? '')?.cpu ?? 0, cores)}
            />
            <Meter
              label="Memory"
              {...has.memory}
              write={bytes}
              segments={segments((one) => one.memoryLimit ?? 0, bytes)}
            />
            {has.gpu.total > 0 ? (
              <>
                <Meter
                  label="GPU compute"
                  {...has.gpu}
                  write={gpus}
                  segments={segments((one) => one.slices.reduce((sum, slice) => sum + slice.milli, 0), gpus)}
                />
                <Meter
                  label="GPU memory"
                  {...has.vram}
                  write={bytes}
                  segments={segments((one) => one.slices.reduce((sum, slice) => sum + slice.bytes, 0), bytes)}
                />
              </>
            ) : (
              <Text size="sm" c="dimmed">
                No accelerator on this machine: jobs run on its CPU.{' '}
                <Anchor component={Link} to="/accelerators" size="sm" underline="always">
                  What to do about it
                </Anchor>
              </Text>
            )}
          </SimpleGrid>
        )}
      </Answer>
    </Panel>
  );
}

const levels = {
  ok: { icon: IconCircleCheck, colour: 'var(--vg-completed)', text: 'Well' },
  warn: { icon: IconAlertTriangle, colour: 'var(--vg-queued)', text: 'Warning' },
  fail: { icon: IconCircleX, colour: 'var(--vg-failed)', text: 'Failing' },
} as const;

function Health() {
  const health = useRoute(routes.machine.health, {}, { every: 10_000 });
  return (
    <Panel
      title="Health"
      aside={
        health.data && (
          <Text size="sm" c="dimmed">
            up since <When at={health.data.startedAt} />
          </Text>
        )
      }
    >
      <Answer query={health} lines={3}>
        {({ findings, version, status }) => (
          <Stack gap="sm">
            {findings.length === 0 && (
              <Group gap={8}>
                <IconCircleCheck size={18} color="var(--vg-completed)" aria-hidden />
                <Text size="sm">
                  {status === 'starting' ? 'The server is starting.' : 'Nothing to report.'}
                </Text>
              </Group>
            )}
            {findings.map((one) => {
              const { icon: Icon, colour, text } = levels[one.level];
              return (
                <Group key={one.name} gap={10} wrap="nowrap" align="flex-start">
                  <Icon
                    size={18}
                    color={colour}
                    role="img"
                    aria-label={text}
                    style={{ flexShrink: 0, marginTop: 1 }}
                  />
                  <div>
                    <Text size="sm">
                      <Text component="span" inherit fw={570}>
                        {one.name}
                      </Text>{' '}
                      {one.text}
                    </Text>
                    {one.advice && (
                      <Text size="xs" c="dimmed">
                        {one.advice}
                      </Text>
                    )}
                  </div>
                </Group>
              );
            })}
            <Text size="xs" c="dimmed">
              vgpu {version}
            </Text>
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}

/** Capacity and what uses it, what runs, what came out lately, and whether all is well. */
export default function Overview() {
  const live = { every: 10_000, keep: true };
  const running = useRoute(routes.jobs.list, { query: { state: 'RUNNING', limit: 20 } }, live);
  const queued = useRoute(routes.jobs.list, { query: { state: 'QUEUED', limit: 20 } }, live);
  const ended = useRoute(routes.jobs.list, { query: { sort: 'endedAt', limit: 40 } }, live);
  const active = [...(running.data?.items ?? []), ...(queued.data?.items ?? [])];
  const results = (ended.data?.items ?? []).filter((job) => job.endedAt !== null).slice(0, 8);
  return (
    <Page
      title="Overview"
      about={
        running.data && queued.data
          ? `${plural(running.data.total, 'job')} running, ${queued.data.total} waiting`
          : 'Loading…'
      }
      actions={
        <Button component={Link} to="/new" leftSection={<IconPlus size={16} />}>
          New job
        </Button>
      }
    >
      <div
        style={{
          display: 'grid',
          gap: 16,
          gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 440px), 1fr))',
        }}
      >
        <Capacity running={running.data?.items ?? []} />
        <Health />
      </div>
      <Panel title="Running and waiting" flush>
        <Answer query={running} lines={3}>
          {() =>
            active.length > 0 ? (
              <JobTable jobs={active} brief label="Jobs that run or wait" />
            ) : (
              <Empty icon={IconProgress} title="Nothing runs at the moment">
                The whole machine is free. Start a job from the button above, or with{' '}
                <code>vgpu run train.py data.csv</code>.
              </Empty>
            )
          }
        </Answer>
      </Panel>
      <Panel
        title="Recent results"
        flush
        aside={
          <Anchor component={Link} to="/jobs" size="sm">
            All jobs
          </Anchor>
        }
      >
        <Answer query={ended} lines={4}>
          {() =>
            results.length > 0 ? (
              <JobTable jobs={results} brief label="Jobs that ended" />
            ) : (
              <Empty icon={IconTrophy} title="No results yet">
                Scores of ended jobs appear here, the best one of each job first.
              </Empty>
            )
          }
        </Answer>
      </Panel>
    </Page>
  );
}
