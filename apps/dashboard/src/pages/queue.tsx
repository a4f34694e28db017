import { Text } from '@mantine/core';
import { IconHourglass } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type RouteOutput, routes } from '@vgpu/api';
import { useRoute } from '../server/use-route.ts';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

type Row = RouteOutput<typeof routes.machine.queue>['items'][number];

const columns: readonly Column<Row>[] = [
  { title: 'Place', right: true, style: { width: 60 }, cell: (one) => one.position },
  {
    title: 'Task',
    cell: (one) => (
      <>
        <Link to="/jobs/$job" params={{ job: one.job }} className="plain">
          <Text component="span" size="sm" fw={570}>
            {one.jobName}
          </Text>
        </Link>
        <Text size="xs" c="dimmed">
          {one.name}
        </Text>
      </>
    ),
  },
  {
    title: 'Why it waits',
    style: { minWidth: 220 },
    cell: (one) => (
      <>
        {one.why}
        {one.hint && (
          <Text size="xs" c="dimmed">
            {one.hint}
          </Text>
        )}
      </>
    ),
  },
  {
    title: 'Expected start',
    cell: (one) => <When at={one.estimatedStart} fallback="not known yet" />,
  },
  { title: 'Priority', right: true, cell: (one) => one.priority },
  { title: 'Attempts', right: true, cell: (one) => one.attempts },
  { title: 'Submitted', cell: (one) => <When at={one.submittedAt} /> },
];

/** Waiting tasks in their order, each with the reason why it waits. */
export default function Queue() {
  const queue = useRoute(routes.machine.queue, {}, { every: 3000 });
  return (
    <Page
      title="Queue"
      about={
        queue.data
          ? `${plural(queue.data.items.length, 'task')} waiting, in the order in which they start`
          : 'Loading…'
      }
    >
      <div className="panel">
        <Answer query={queue}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty icon={IconHourglass} title="Nothing waits">
                Every task has found its place. When the machine is full, tasks wait here, and each says for
                what.
              </Empty>
            ) : (
              <DataTable label="Waiting tasks" columns={columns} rows={items} keyOf={(one) => one.task} />
            )
          }
        </Answer>
      </div>
    </Page>
  );
}
