import { Group, Text, TextInput } from '@mantine/core';
import { IconChartLine, IconSearch } from '@tabler/icons-react';
import { useCallback, useState, useSyncExternalStore } from 'react';
import { InView } from '../charts/in-view.tsx';
import { LineChart } from '../charts/line-chart.tsx';
import type { SeriesStore } from '../live/series-store.ts';
import { metricTitle, plural, score } from '../ui/figures.ts';
import { Empty } from '../ui/states.tsx';

/** One worker's series, with the colour and name of its lines. */
export interface Source {
  name: string;
  colour: string;
  store: SeriesStore;
}

interface MetricGridProps {
  sources: readonly Source[];
  names: readonly string[];
  /** At most this many charts, without a filter. */
  limit?: number;
  height?: number;
  minWidth?: number;
  sync: string;
}

/** A chart for each metric; those far from view are not drawn. */
export function MetricGrid({ sources, names, limit, height = 150, minWidth = 260, sync }: MetricGridProps) {
  const [filter, setFilter] = useState('');
  const wanted = names.filter((name) => name.toLowerCase().includes(filter.toLowerCase()));
  const shown = limit === undefined ? wanted : wanted.slice(0, limit);
  if (names.length === 0) {
    return (
      <Empty icon={IconChartLine} title="No metrics yet">
        Losses, scores and progress that the script prints turn into charts here;{' '}
        <code>vgpu.log(step, loss=…)</code> is the explicit way.
      </Empty>
    );
  }
  return (
    <>
      {limit === undefined && names.length > 6 && (
        <Group gap="sm" mb="sm">
          <TextInput
            size="xs"
            w={220}
            leftSection={<IconSearch size={14} />}
            placeholder="Filter metrics"
            aria-label="Filter metrics"
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <Text size="xs" c="dimmed">
            {plural(wanted.length, 'metric')}
          </Text>
        </Group>
      )}
      <div
        style={{
          display: 'grid',
          gap: 12,
          gridTemplateColumns: `repeat(auto-fill, minmax(min(100%, ${minWidth}px), 1fr))`,
        }}
      >
        {shown.map((name) => (
          <InView key={name} height={height + 24}>
            <MetricChart name={name} sources={sources} height={height} sync={sync} />
          </InView>
        ))}
      </div>
    </>
  );
}

interface MetricChartProps {
  name: string;
  sources: readonly Source[];
  height: number;
  sync: string;
}

function MetricChart({ name, sources, height, sync }: MetricChartProps) {
  const lines = sources.map(({ name: worker, colour, store }) => ({
    name: worker,
    colour,
    points: () => {
      const one = store.get(name);
      return { x: one?.step ?? [], y: one?.value ?? [] };
    },
  }));
  const stores = sources.map((one) => one.store);
  const key = sources.map((one) => one.name).join('|');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key names the stores
  const listen = useCallback(
    (changed: () => void) => {
      const stops = stores.map((store) => store.listen(changed));
      return () => {
        for (const stop of stops) stop();
      };
    },
    [key],
  );
  return (
    <figure style={{ margin: 0, minWidth: 0 }}>
      <Group component="figcaption" gap={8} justify="space-between" wrap="nowrap">
        <Text size="xs" fw={570} className="ellipsis" title={name}>
          {metricTitle(name)}
        </Text>
        {sources.length === 1 && <LastValue store={sources[0]!.store} name={name} />}
      </Group>
      <LineChart
        lines={lines}
        label={`${metricTitle(name)} of ${sources.map((one) => one.name).join(', ')}`}
        height={height}
        sync={sync}
        listen={listen}
      />
    </figure>
  );
}

/** The last value, read at most four times a second. */
function LastValue({ store, name }: { store: SeriesStore; name: string }) {
  const listen = useCallback(
    (changed: () => void) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const stop = store.listen(() => {
        timer ??= setTimeout(() => {
          timer = undefined;
          changed();
        }, 250);
      });
      return () => {
        stop();
        clearTimeout(timer);
      };
    },
    [store],
  );
  const value = useSyncExternalStore(listen, () => store.get(name)?.value.at(-1));
  return (
    <Text size="xs" c="dimmed" className="num">
      {score(value)}
    </Text>
  );
}
