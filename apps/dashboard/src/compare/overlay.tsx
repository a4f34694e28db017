import { Select, Text } from '@mantine/core';
import { IconChartLine } from '@tabler/icons-react';
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { colourOf } from '../charts/colours.ts';
import { LineChart } from '../charts/line-chart.tsx';
import { Batched } from '../live/batched.ts';
import { taskLive } from '../live/task-live.ts';
import { metricTitle } from '../ui/figures.ts';
import { Panel } from '../ui/panel.tsx';
import { Empty } from '../ui/states.tsx';
import type { Trial } from './trials.ts';

/** More lines than this in one chart cannot be told apart. */
const most = 24;

/** One metric over its steps, a line for each task of the jobs compared. */
export function Overlay({ trials }: { trials: readonly Trial[] }) {
  const shown = trials.slice(0, most);
  const key = shown.map((trial) => trial.key).join(' ');
  const [loaded] = useState(() => new Batched());
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key names the tasks
  useEffect(() => {
    for (const trial of shown) {
      const { series } = taskLive(trial.key);
      void (series.loaded ? Promise.resolve() : series.load()).then(() => loaded.changed());
    }
  }, [key, loaded]);
  useSyncExternalStore(loaded.listen, () => loaded.version);
  const names = [...new Set(shown.flatMap((trial) => taskLive(trial.key).series.names()))]
    .filter((name) => shown.some((trial) => (taskLive(trial.key).series.get(name)?.value.length ?? 0) > 1))
    .sort();
  const [chosen, setChosen] = useState<string | null>(null);
  const metric = chosen && names.includes(chosen) ? chosen : names[0];
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key names the tasks
  const listen = useCallback(
    (changed: () => void) => {
      const stops = shown.map((trial) => taskLive(trial.key).series.listen(changed));
      return () => {
        for (const stop of stops) stop();
      };
    },
    [key],
  );
  return (
    <Panel
      title="Metrics over time"
      aside={
        names.length > 0 && (
          <Select
            size="xs"
            w={200}
            aria-label="Metric"
            data={names.map((name) => ({ value: name, label: metricTitle(name) }))}
            value={metric ?? null}
            onChange={setChosen}
            searchable
            allowDeselect={false}
          />
        )
      }
    >
      {metric ? (
        <>
          <LineChart
            lines={shown.map((trial) => ({
              name: trial.title,
              colour: colourOf(trial.index),
              points: () => {
                const one = taskLive(trial.key).series.get(metric);
                return { x: one?.step ?? [], y: one?.value ?? [] };
              },
            }))}
            label={`${metricTitle(metric)} of ${shown.length} tasks`}
            height={280}
            listen={listen}
            data={`${metric} ${loaded.version}`}
          />
          {trials.length > most && (
            <Text size="xs" c="dimmed">
              The first {most} of {trials.length} tasks.
            </Text>
          )}
        </>
      ) : (
        <Empty icon={IconChartLine} title="No series to lay over each other">
          None of these tasks has printed a metric more than once.
        </Empty>
      )}
    </Panel>
  );
}
