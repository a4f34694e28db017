import { Code, Text } from '@mantine/core';
import { IconSitemap } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { routes, type Topology } from '@vgpu/api';
import { useTopology } from '../live/use-topology.ts';
import { useRoute } from '../server/use-route.ts';
import { Picture } from '../topology/picture.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { bytes, milli } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { Panel } from '../ui/panel.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

const kinds = { server: 'Server', engine: 'Engine', worker: 'Worker', warm: 'Warm worker' } as const;
const stateColours: Record<string, string> = {
  running: 'var(--vg-completed)',
  paused: 'var(--vg-cancelled)',
  exited: 'var(--vg-failed)',
  dead: 'var(--vg-failed)',
};

/** What runs on the machine at this moment, as a picture and as a matrix. */
export default function TopologyPage() {
  const topology = useTopology();
  const jobs = useRoute(routes.jobs.list, { query: { state: 'RUNNING', limit: 200 } }, { every: 10_000 });
  const names = new Map((jobs.data?.items ?? []).map((job) => [job.id, job.name]));
  return (
    <Page
      title="Topology"
      about={
        topology.data ? (
          <span className="num">
            {topology.data.host.name}, read from {topology.data.host.engine ?? 'the server'} at{' '}
            {new Date(topology.data.takenAt).toLocaleTimeString()}; fresh every second
          </span>
        ) : (
          'Loading…'
        )
      }
    >
      <Answer query={topology} lines={8}>
        {(data) => (
          <>
            <Panel title="Who runs where" flush>
              <Picture topology={data} names={names} />
            </Panel>
            <Panel title="Services" flush>
              {data.services.length === 0 ? (
                <Empty icon={IconSitemap} title="Nothing runs">
                  Neither server nor workers were found in the engine.
                </Empty>
              ) : (
                <Matrix services={data.services} names={names} />
              )}
            </Panel>
          </>
        )}
      </Answer>
    </Page>
  );
}

function Matrix({ services, names }: { services: Topology['services']; names: ReadonlyMap<string, string> }) {
  return (
    <DataTable
      label="Service matrix"
      columns={[
        {
          title: 'Service',
          style: { minWidth: 150 },
          cell: (one) => (
            <>
              <Text size="sm" fw={570} component="span">
                {one.name}
              </Text>
              <Text size="xs" c="dimmed">
                {kinds[one.kind]}
                {one.job && (
                  <>
                    {' of '}
                    <Link
                      to="/jobs/$job"
                      params={{ job: one.job }}
                      style={{ color: 'var(--mantine-color-anchor)' }}
                    >
                      {names.get(one.job) ?? one.job}
                    </Link>
                  </>
                )}
              </Text>
            </>
          ),
        },
        {
          title: 'State',
          style: { whiteSpace: 'nowrap' },
          cell: (one) => (
            <>
              <span
                aria-hidden
                style={{
                  display: 'inline-block',
                  width: 8,
                  height: 8,
                  borderRadius: 4,
                  marginRight: 7,
                  background: stateColours[one.state] ?? 'var(--vg-queued)',
                }}
              />
              {one.state}
            </>
          ),
        },
        {
          title: 'Image',
          cell: (one) => (
            <Code>
              {one.image}
              {one.tag && `:${one.tag}`}
            </Code>
          ),
        },
        { title: 'Ports', cell: (one) => (one.ports.length === 0 ? 'none' : one.ports.join(', ')) },
        {
          title: 'CPU',
          right: true,
          cell: (one) => (one.cpu === null ? '–' : `${one.cpu.toFixed(2)} cores`),
        },
        {
          title: 'Memory',
          right: true,
          style: { whiteSpace: 'nowrap' },
          cell: (one) => (
            <>
              {one.memory === null ? '–' : bytes(one.memory)}
              {one.memoryLimit !== null && ` of ${bytes(one.memoryLimit)}`}
            </>
          ),
        },
        {
          title: 'Slices',
          style: { whiteSpace: 'nowrap' },
          cell: (one) =>
            one.slices.length === 0
              ? 'none'
              : one.slices.map((slice) => `${milli(slice.milli, 'GPU')}, ${bytes(slice.bytes)}`).join('; '),
        },
        { title: 'Created', cell: (one) => <When at={one.created} /> },
        {
          title: 'Last line',
          style: { maxWidth: 300 },
          cell: (one) => (
            <div className="mono ellipsis" title={one.lastLine ?? undefined}>
              {one.lastLine ?? '–'}
            </div>
          ),
        },
      ]}
      rows={services}
      keyOf={(one) => `${one.kind} ${one.task ?? one.name}`}
    />
  );
}
