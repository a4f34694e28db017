import { Text, TextInput } from '@mantine/core';
import { IconDatabase, IconSearch } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type RouteOutput, routes } from '@vgpu/api';
import { useState } from 'react';
import { ImportButton } from '../datasets/import-button.tsx';
import { useRoute } from '../server/use-route.ts';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { bytes, count, plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

type Row = RouteOutput<typeof routes.datasets.list>['items'][number];

const columns: readonly Column<Row>[] = [
  {
    title: 'Dataset',
    cell: ({ name, latest }) => (
      <>
        <Link to="/datasets/$dataset" params={{ dataset: name }} className="plain">
          <Text component="span" size="sm" fw={570}>
            {name}
          </Text>
        </Link>
        <Text size="xs" c="dimmed">
          {latest?.file}
        </Text>
      </>
    ),
  },
  {
    title: 'Versions',
    right: true,
    cell: ({ versions }) => versions.length,
  },
  {
    title: 'Rows',
    right: true,
    cell: ({ latest }) => (latest ? count(latest.rows) : '–'),
  },
  {
    title: 'Columns',
    right: true,
    cell: ({ latest }) => latest?.columns ?? '–',
  },
  {
    title: 'Set aside',
    right: true,
    cell: ({ latest }) => (latest ? count(latest.rejected) : '–'),
  },
  {
    title: 'Size',
    right: true,
    cell: ({ latest }) => (latest ? bytes(latest.bytes) : '–'),
  },
  { title: 'Target', cell: ({ latest }) => latest?.target ?? '–' },
  {
    title: 'Latest version',
    cell: ({ latest }) => <When at={latest?.createdAt} />,
  },
];

/** All datasets with their latest version. */
export default function Datasets() {
  const list = useRoute(routes.datasets.list, { query: { limit: 1000 } });
  const [text, setText] = useState('');
  return (
    <Page
      title="Datasets"
      about={list.data ? `${plural(list.data.total, 'dataset')}, cleaned and versioned` : 'Loading…'}
      actions={<ImportButton />}
    >
      <TextInput
        w={{ base: '100%', xs: 280 }}
        leftSection={<IconSearch size={15} />}
        placeholder="Search names and files"
        aria-label="Search datasets"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        data-page-search
      />
      <div className="panel">
        <Answer query={list}>
          {({ items }) => {
            const found = items.filter((one) =>
              `${one.name} ${one.latest?.file}`.toLowerCase().includes(text.toLowerCase()),
            );
            if (found.length === 0) {
              return items.length > 0 ? (
                <Empty icon={IconSearch} title="No dataset matches">
                  Try another word.
                </Empty>
              ) : (
                <Empty icon={IconDatabase} title="No datasets yet" action={<ImportButton />}>
                  A file becomes a dataset when a job uses it, or when it is imported here. Delimiter,
                  encoding, units and gaps are found and cleaned; what changed is written down.
                </Empty>
              );
            }
            return <DataTable label="Datasets" columns={columns} rows={found} keyOf={({ id }) => id} />;
          }}
        </Answer>
      </div>
    </Page>
  );
}
