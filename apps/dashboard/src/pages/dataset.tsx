import { Anchor, Button, Group, Menu, Select, Tabs, Text } from '@mantine/core';
import {
  IconChartHistogram,
  IconDownload,
  IconHistory,
  IconPlus,
  IconTable,
  IconTrash,
  IconWand,
} from '@tabler/icons-react';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type CleaningReport, type Dataset, routes } from '@vgpu/api';
import { Changes, dialectText } from '../datasets/changes.tsx';
import { ColumnTable } from '../datasets/column-table.tsx';
import { ImportButton } from '../datasets/import-button.tsx';
import { PreviewTable } from '../datasets/preview-table.tsx';
import { client } from '../server/client.ts';
import { refresh, useRoute } from '../server/use-route.ts';
import { Confirm } from '../ui/confirm.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { bytes, count, plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { Panel } from '../ui/panel.tsx';
import { Answer, PageAnswer } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

const route = getRouteApi('/app/datasets/$dataset');
const formats = [
  ['csv', 'Cleaned, as CSV'],
  ['parquet', 'Cleaned, as Parquet'],
  ['original', 'The original file'],
  ['rejected', 'Rows set aside'],
] as const;

/** One dataset: its versions, columns, what cleaning changed, and its rows. */
export default function DatasetPage() {
  const { dataset: name } = route.useParams();
  const query = useRoute(routes.datasets.get, { params: { dataset: name } });
  return (
    <PageAnswer query={query} title="Dataset">
      {(dataset) => <DatasetView dataset={dataset} />}
    </PageAnswer>
  );
}

function DatasetView({ dataset }: { dataset: Dataset }) {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/datasets/$dataset' });
  const version =
    dataset.versions.find((one) => String(one.number) === search.version || one.version === search.version) ??
    dataset.latest;
  const named = version ? `${dataset.name}@${version.number}` : dataset.name;
  const report = useRoute(
    routes.datasets.report,
    { params: { dataset: named } },
    { enabled: version !== null, staleTime: Number.POSITIVE_INFINITY },
  );
  const set = (next: { tab?: string; version?: string }) =>
    void navigate({ search: (old) => ({ ...old, ...next }) });
  return (
    <Page
      tab={dataset.name}
      title={dataset.name}
      about={
        version && (
          <Group gap="4px 14px">
            <span>{version.file}</span>
            <span>
              {plural(version.rows, 'row')}, {plural(version.columns, 'column')}
            </span>
            <span>{bytes(version.bytes)}</span>
            <span>target {version.target ?? 'not set'}</span>
            <span>
              imported <When at={version.createdAt} />
            </span>
          </Group>
        )
      }
      actions={
        <>
          <Select
            aria-label="Version"
            w={150}
            allowDeselect={false}
            value={version ? String(version.number) : null}
            onChange={(value) => set({ version: value ?? undefined })}
            data={dataset.versions
              .map((one) => ({ value: String(one.number), label: `Version ${one.number}` }))
              .reverse()}
          />
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="default" leftSection={<IconDownload size={16} />}>
                Download
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {formats.map(([format, title]) => (
                <Menu.Item
                  key={format}
                  component="a"
                  href={client.address(routes.datasets.download, {
                    params: { dataset: named },
                    query: { format },
                  })}
                  download
                  disabled={format === 'rejected' && version?.rejected === 0}
                >
                  {title}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          <ImportButton name={dataset.name} />
          <Confirm
            title={`Delete ${dataset.name}?`}
            action="Delete dataset"
            onConfirm={async () => {
              await client.call(routes.datasets.remove, { params: { dataset: dataset.name } });
              await refresh(routes.datasets.list);
              await navigate({ to: '/datasets' });
            }}
            trigger={(open) => (
              <Button variant="default" leftSection={<IconTrash size={16} />} onClick={open}>
                Delete
              </Button>
            )}
          >
            All {plural(dataset.versions.length, 'version')} and their reports are deleted for good. Scores of
            jobs stay.
          </Confirm>
          <Button
            leftSection={<IconPlus size={16} />}
            renderRoot={(props) => <Link to="/new" search={{ dataset: named }} {...props} />}
          >
            New job
          </Button>
        </>
      }
    >
      <Tabs
        value={search.tab ?? 'columns'}
        onChange={(value) => set({ tab: value === 'columns' ? undefined : (value ?? undefined) })}
        keepMounted={false}
      >
        <div style={{ overflowX: 'auto', overflowY: 'hidden' }}>
          <Tabs.List style={{ flexWrap: 'nowrap', minWidth: 'max-content' }}>
            <Tabs.Tab value="columns" leftSection={<IconChartHistogram size={16} />}>
              Columns
            </Tabs.Tab>
            <Tabs.Tab value="cleaning" leftSection={<IconWand size={16} />}>
              What cleaning changed
            </Tabs.Tab>
            <Tabs.Tab value="preview" leftSection={<IconTable size={16} />}>
              Rows
            </Tabs.Tab>
            <Tabs.Tab value="versions" leftSection={<IconHistory size={16} />}>
              Versions
            </Tabs.Tab>
          </Tabs.List>
        </div>
        <Tabs.Panel value="columns" pt="md">
          <div className="panel">
            <Answer query={report} lines={10}>
              {(data: CleaningReport) => (
                <ColumnTable columns={data.columns} rows={data.rows} target={data.target} />
              )}
            </Answer>
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="cleaning" pt="md">
          <Panel>
            <Answer query={report}>
              {(data: CleaningReport) => (
                <>
                  <Text size="sm" c="dimmed" mb="md">
                    {dialectText(data.dialect)}. {plural(data.rows, 'row')} kept, {count(data.rejected)} set
                    aside.
                  </Text>
                  <Changes report={data} />
                </>
              )}
            </Answer>
          </Panel>
        </Tabs.Panel>
        <Tabs.Panel value="preview" pt="md">
          <div className="panel" style={{ overflow: 'hidden' }}>
            <PreviewTable dataset={named} />
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="versions" pt="md">
          <Versions dataset={dataset} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Versions({ dataset }: { dataset: Dataset }) {
  return (
    <div className="panel">
      <DataTable
        label="Versions"
        columns={[
          {
            title: 'Version',
            cell: (one) => (
              <Anchor
                size="sm"
                renderRoot={(props) => (
                  <Link
                    to="/datasets/$dataset"
                    params={{ dataset: dataset.name }}
                    search={{ version: String(one.number) }}
                    {...props}
                  />
                )}
              >
                Version {one.number}
              </Anchor>
            ),
          },
          { title: 'Content hash', cell: (one) => <span className="mono">{one.version.slice(0, 16)}</span> },
          { title: 'File', cell: (one) => one.file },
          { title: 'Rows', right: true, cell: (one) => count(one.rows) },
          { title: 'Set aside', right: true, cell: (one) => count(one.rejected) },
          { title: 'Size', right: true, cell: (one) => bytes(one.bytes) },
          { title: 'Imported', cell: (one) => <When at={one.createdAt} /> },
        ]}
        rows={[...dataset.versions].reverse()}
        keyOf={(one) => one.version}
      />
    </div>
  );
}
