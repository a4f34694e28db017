import { Anchor, Badge, Code, Group, SimpleGrid, Stack, Text, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCpu } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type Accelerator, routes } from '@vgpu/api';
import { colourOf } from '../charts/colours.ts';
import { LineChart } from '../charts/line-chart.tsx';
import { useRoute } from '../server/use-route.ts';
import { Pools } from '../topology/pools.tsx';
import { ServiceButton } from '../topology/service-button.tsx';
import { bytes, milli, percent, plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { Panel } from '../ui/panel.tsx';
import { Answer, Empty } from '../ui/states.tsx';

/** Every accelerator: its slices, and its readings over the last hour. */
export default function Accelerators() {
  const list = useRoute(routes.accelerators.list, {}, { every: 2000 });
  return (
    <Page
      title="Accelerators"
      about={list.data ? `${plural(list.data.items.length, 'device')} on this machine` : 'Loading…'}
    >
      <Answer query={list}>
        {({ items, advice }) => (
          <>
            {items.length === 0 ? (
              <Panel>
                <Empty icon={IconCpu} title="No accelerator was found">
                  {advice ?? (
                    <>
                      Install the driver of the device, then run <code>vgpu doctor</code>.
                    </>
                  )}
                  <br />
                  Jobs that ask for none run on the CPU meanwhile.
                </Empty>
              </Panel>
            ) : (
              <>
                {advice && (
                  <Group gap={8} wrap="nowrap">
                    <IconAlertTriangle size={18} color="var(--vg-queued)" aria-hidden />
                    <Text size="sm">{advice}</Text>
                  </Group>
                )}
                <div
                  style={{
                    display: 'grid',
                    gap: 16,
                    gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 520px), 1fr))',
                  }}
                >
                  {items.map((one) => (
                    <Device key={one.uuid} one={one} />
                  ))}
                </div>
              </>
            )}
          </>
        )}
      </Answer>
      <Pools />
    </Page>
  );
}

const kinds = { gpu: 'GPU', cpu: 'CPU', fpga: 'FPGA', other: 'device' } as const;

function Device({ one }: { one: Accelerator }) {
  const well = one.health === 'healthy';
  const Icon = well ? IconCircleCheck : IconAlertTriangle;
  const colour = well
    ? 'var(--vg-completed)'
    : one.health === 'draining'
      ? 'var(--vg-queued)'
      : 'var(--vg-failed)';
  return (
    <Panel
      title={
        <Group component="span" gap={8} display="inline-flex">
          {one.model}
          <Badge variant="default" size="sm" tt="none" fw={500}>
            {kinds[one.kind]} {one.index}
          </Badge>
        </Group>
      }
      aside={
        <Group gap={10} wrap="nowrap">
          <Group gap={6} wrap="nowrap" c={colour}>
            <Icon size={16} aria-hidden />
            <Text size="sm" fw={550}>
              {one.health}
            </Text>
          </Group>
          <ServiceButton one={one} />
        </Group>
      }
    >
      <Stack gap="md">
        <Group gap="4px 14px" fz="xs" c="dimmed">
          <Code>{one.uuid}</Code>
          <span>{one.vendor}</span>
          <span>mode {one.mode}</span>
          <span>pool {one.pool}</span>
          {one.computeUnits !== null && <span>{one.computeUnits} compute units</span>}
          {one.mps?.use && <span>slices run at the same time (MPS)</span>}
        </Group>
        {one.healthReason && (
          <Text size="sm" c={colour}>
            {one.healthReason}
          </Text>
        )}
        {one.mps && !one.mps.use && (
          <Text size="sm" c="dimmed">
            No MPS here: {one.mps.why}
          </Text>
        )}
        <Readings one={one} />
        <Slices one={one} />
        <History one={one} />
      </Stack>
    </Panel>
  );
}

function Readings({ one }: { one: Accelerator }) {
  const readings: [string, string][] = [
    ['Utilisation', one.utilisation === null ? 'not measured' : `${Math.round(one.utilisation)} %`],
    [
      'Memory',
      one.memoryUsed === null
        ? `${bytes(one.memory)} in all`
        : `${bytes(one.memoryUsed)} of ${bytes(one.memory)}`,
    ],
    ['Temperature', one.temperature === null ? 'not measured' : `${Math.round(one.temperature)} °C`],
    ['Power', one.power === null ? 'not measured' : `${Math.round(one.power)} watts`],
  ];
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
      {readings.map(([name, value]) => (
        <div key={name}>
          <Text size="xs" c="dimmed">
            {name}
          </Text>
          <Text size="md" fw={600} className="num">
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}

function Slices({ one }: { one: Accelerator }) {
  const free = Math.max(0, 1000 - one.allocatedMilli);
  return (
    <div>
      <Group justify="space-between" mb={6}>
        <Text size="sm" fw={550}>
          {plural(one.slices.length, 'slice')}
        </Text>
        <Text size="xs" c="dimmed" className="num">
          {percent(one.allocatedMilli / 1000)} given, {milli(free, 'GPU')} free
        </Text>
      </Group>
      <div
        style={{
          display: 'flex',
          gap: 3,
          height: 44,
          background: 'var(--vg-track)',
          borderRadius: 8,
          overflow: 'hidden',
        }}
      >
        {one.slices.map((slice, i) => (
          <Tooltip
            key={slice.id}
            label={`${slice.worker ?? 'reserved'}: ${milli(slice.milli, 'GPU')}, ${bytes(slice.bytes)}, ${slice.isolation} isolation${slice.usedMilli === null ? '' : `; uses ${percent(slice.usedMilli / 1000)} of the device`}${slice.usedBytes === null ? '' : `, ${bytes(slice.usedBytes)}`}`}
          >
            <div
              style={{
                width: `${slice.milli / 10}%`,
                minWidth: 24,
                padding: '4px 8px',
                background: `color-mix(in srgb, ${colourOf(i)} 16%, var(--vg-surface))`,
                borderLeft: `4px solid ${colourOf(i)}`,
                overflow: 'hidden',
              }}
            >
              <Text size="xs" fw={570} className="ellipsis">
                {slice.job ? (
                  <Anchor
                    inherit
                    c="inherit"
                    renderRoot={(props) => <Link to="/jobs/$job" params={{ job: slice.job! }} {...props} />}
                  >
                    {slice.worker ?? 'reserved'}
                  </Anchor>
                ) : (
                  (slice.worker ?? 'reserved')
                )}
              </Text>
              <Text size="xs" c="dimmed" className="ellipsis num">
                {milli(slice.milli, 'GPU')} · {bytes(slice.bytes)}
              </Text>
            </div>
          </Tooltip>
        ))}
      </div>
    </div>
  );
}

const kept = [
  {
    key: 'utilisation',
    title: 'Utilisation, percent',
    colour: 0,
    write: (value: number) => `${Math.round(value)} %`,
  },
  { key: 'memoryUsed', title: 'Memory', colour: 2, write: (value: number) => bytes(value) },
  {
    key: 'temperature',
    title: 'Temperature, °C',
    colour: 1,
    write: (value: number) => `${Math.round(value)} °C`,
  },
  { key: 'power', title: 'Power, watts', colour: 4, write: (value: number) => `${Math.round(value)} W` },
] as const;

function History({ one }: { one: Accelerator }) {
  const history = useRoute(routes.accelerators.history, { params: { uuid: one.uuid } }, { every: 5000 });
  const data = history.data;
  if (!data) return null;
  const drawn = kept.filter(({ key }) => data[key].some((value) => value !== null));
  if (drawn.length === 0 || data.time.length < 2) {
    return (
      <Text size="xs" c="dimmed">
        {drawn.length === 0
          ? 'This device gives no readings over time.'
          : 'Readings over time appear here within a minute.'}
      </Text>
    );
  }
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      {drawn.map(({ key, title, colour, write }) => (
        <figure key={key} style={{ margin: 0, minWidth: 0 }}>
          <Text component="figcaption" size="xs" fw={550}>
            {title}
          </Text>
          <Reading
            data={data}
            reading={key}
            title={title}
            colour={colourOf(colour)}
            write={write}
            uuid={one.uuid}
          />
        </figure>
      ))}
    </SimpleGrid>
  );
}

interface ReadingProps {
  data: { time: number[] } & Record<(typeof kept)[number]['key'], (number | null)[]>;
  reading: (typeof kept)[number]['key'];
  title: string;
  colour: string;
  write: (value: number) => string;
  uuid: string;
}

function Reading({ data, reading, title, colour, write, uuid }: ReadingProps) {
  const points = () => {
    const x: number[] = [];
    const y: number[] = [];
    data.time.forEach((at, i) => {
      const value = data[reading][i];
      if (value === null || value === undefined) return;
      x.push(at / 1000);
      y.push(value);
    });
    return { x, y };
  };
  return (
    <LineChart
      lines={[{ name: title, colour, points }]}
      label={`${title} over the last hour`}
      height={120}
      x="time"
      sync={uuid}
      write={write}
      data={data.time.at(-1)}
    />
  );
}
