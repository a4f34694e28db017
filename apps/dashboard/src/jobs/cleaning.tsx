import { Anchor, Stack, Text } from '@mantine/core';
import { IconWand } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type Job, routes } from '@vgpu/api';
import { Changes, dialectText } from '../datasets/changes.tsx';
import { useRoute } from '../server/use-route.ts';
import { plural } from '../ui/figures.ts';
import { Panel } from '../ui/panel.tsx';
import { Answer, Empty } from '../ui/states.tsx';

/** What cleaning did to each dataset of a job. */
export default function Cleaning({ job }: { job: Job }) {
  const datasets = [...new Set(job.tasks.map((task) => task.dataset).filter((one) => one !== null))];
  if (datasets.length === 0) {
    return (
      <Panel>
        <Empty icon={IconWand} title="No dataset">
          This job runs without one, so nothing was cleaned.
        </Empty>
      </Panel>
    );
  }
  return (
    <Stack>
      {datasets.slice(0, 50).map((dataset) => (
        <Report key={dataset} dataset={dataset} />
      ))}
    </Stack>
  );
}

function Report({ dataset }: { dataset: string }) {
  const report = useRoute(
    routes.datasets.report,
    { params: { dataset } },
    { staleTime: Number.POSITIVE_INFINITY },
  );
  const [name, version] = dataset.split('@');
  return (
    <Panel
      title={dataset}
      aside={
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link to="/datasets/$dataset" params={{ dataset: name! }} search={{ version }} {...props} />
          )}
        >
          Columns and rows
        </Anchor>
      }
    >
      <Answer query={report}>
        {(data) => (
          <Stack gap="sm">
            <Text size="sm" c="dimmed">
              {plural(data.rows, 'row')},{' '}
              {data.rejected > 0 ? `${plural(data.rejected, 'row')} set aside` : 'none set aside'} ·{' '}
              {dialectText(data.dialect)}
            </Text>
            <Changes report={data} />
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}
