import { Anchor, Group, Stack, Text } from '@mantine/core';
import { IconDownload, IconFiles } from '@tabler/icons-react';
import { routes, type Task } from '@vgpu/api';
import { isTerminal } from '@vgpu/core';
import { client } from '../server/client.ts';
import { useRoute } from '../server/use-route.ts';
import { DataTable } from '../ui/data-table.tsx';
import { bytes, plural } from '../ui/figures.ts';
import { Panel } from '../ui/panel.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

const picture = /\.(png|jpe?g|gif|webp|svg)$/i;

/** What one task kept in VGPU_OUTPUT. */
export function TaskFiles({ task }: { task: Task }) {
  const files = useRoute(
    routes.tasks.files,
    { params: { task: task.id } },
    { every: isTerminal(task.state) ? undefined : 5000 },
  );
  return (
    <Panel title={task.name} flush>
      <Answer query={files} lines={3}>
        {({ items, refused }) =>
          items.length + refused.length === 0 ? (
            <Empty icon={IconFiles} title="No files">
              What the script writes into the folder <code>VGPU_OUTPUT</code> is kept here.
            </Empty>
          ) : (
            <>
              {items.length > 0 && <FileTable task={task} items={items} />}
              {refused.length > 0 && (
                <Stack gap={2} p="md">
                  <Text size="xs" fw={570} c="var(--vg-queued)">
                    {plural(refused.length, 'file was', 'files were')} not kept
                  </Text>
                  {refused.map((one) => (
                    <Text key={one.path} size="xs" c="dimmed">
                      <span className="mono">{one.path}</span>: {one.why}
                    </Text>
                  ))}
                </Stack>
              )}
            </>
          )
        }
      </Answer>
    </Panel>
  );
}

interface FileTableProps {
  task: Task;
  items: readonly { path: string; bytes: number; modifiedAt: number; type: string }[];
}

function FileTable({ task, items }: FileTableProps) {
  const address = (path: string) =>
    client.address(routes.tasks.file, { params: { task: task.id, '*': path } });
  const pictures = items.filter((one) => picture.test(one.path) && one.bytes < 8_000_000).slice(0, 12);
  return (
    <>
      <DataTable
        label={`Table of files of ${task.name}`}
        columns={[
          {
            title: 'File',
            cell: (one) => (
              <Anchor href={address(one.path)} download size="sm" className="mono">
                <Group gap={6} component="span" display="inline-flex" wrap="nowrap">
                  <IconDownload size={14} aria-hidden />
                  {one.path}
                </Group>
              </Anchor>
            ),
          },
          { title: 'Size', right: true, cell: (one) => bytes(one.bytes) },
          { title: 'Written', cell: (one) => <When at={one.modifiedAt} /> },
        ]}
        rows={items}
        keyOf={(one) => one.path}
      />
      {pictures.length > 0 && (
        <Group p="md" gap="md" align="flex-start">
          {pictures.map((one) => (
            <figure key={one.path} style={{ margin: 0 }}>
              <img
                src={address(one.path)}
                alt={one.path}
                loading="lazy"
                style={{
                  maxWidth: 320,
                  maxHeight: 240,
                  borderRadius: 6,
                  border: '1px solid var(--vg-border)',
                }}
                onError={(event) => {
                  event.currentTarget.parentElement!.hidden = true;
                }}
              />
              <Text component="figcaption" size="xs" c="dimmed" className="mono">
                {one.path}
              </Text>
            </figure>
          ))}
        </Group>
      )}
    </>
  );
}
