import { Text } from '@mantine/core';
import { IconHourglass } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { routes } from '@vgpu/api';
import { useRoute } from '../server/use-route.ts';
import { plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { TableBox } from '../ui/scroll-box.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

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
              <TableBox label="Waiting tasks">
                <table className="table">
                  <thead>
                    <tr>
                      <th scope="col" className="right" style={{ width: 60 }}>
                        Place
                      </th>
                      <th scope="col">Task</th>
                      <th scope="col">Why it waits</th>
                      <th scope="col">Expected start</th>
                      <th scope="col" className="right">
                        Priority
                      </th>
                      <th scope="col" className="right">
                        Attempts
                      </th>
                      <th scope="col">Submitted</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((one) => (
                      <tr key={one.task}>
                        <td className="right">{one.position}</td>
                        <td>
                          <Link to="/jobs/$job" params={{ job: one.job }} className="plain">
                            <Text component="span" size="sm" fw={570}>
                              {one.jobName}
                            </Text>
                          </Link>
                          <Text size="xs" c="dimmed">
                            {one.name}
                          </Text>
                        </td>
                        <td style={{ minWidth: 220 }}>
                          {one.why}
                          {one.hint && (
                            <Text size="xs" c="dimmed">
                              {one.hint}
                            </Text>
                          )}
                        </td>
                        <td>
                          <When at={one.estimatedStart} fallback="not known yet" />
                        </td>
                        <td className="right">{one.priority}</td>
                        <td className="right">{one.attempts}</td>
                        <td>
                          <When at={one.submittedAt} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </TableBox>
            )
          }
        </Answer>
      </div>
    </Page>
  );
}
