import { Text, TextInput } from '@mantine/core';
import { IconDatabase, IconSearch } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { routes } from '@vgpu/api';
import { useState } from 'react';
import { ImportButton } from '../datasets/import-button.tsx';
import { useRoute } from '../server/use-route.ts';
import { bytes, count, plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { TableBox } from '../ui/scroll-box.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

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
            return (
              <TableBox label="Datasets">
                <table className="table">
                  <thead>
                    <tr>
                      <th scope="col">Dataset</th>
                      <th scope="col" className="right">
                        Versions
                      </th>
                      <th scope="col" className="right">
                        Rows
                      </th>
                      <th scope="col" className="right">
                        Columns
                      </th>
                      <th scope="col" className="right">
                        Set aside
                      </th>
                      <th scope="col" className="right">
                        Size
                      </th>
                      <th scope="col">Target</th>
                      <th scope="col">Latest version</th>
                    </tr>
                  </thead>
                  <tbody>
                    {found.map(({ id, name, latest, versions }) => (
                      <tr key={id}>
                        <td>
                          <Link to="/datasets/$dataset" params={{ dataset: name }} className="plain">
                            <Text component="span" size="sm" fw={570}>
                              {name}
                            </Text>
                          </Link>
                          <Text size="xs" c="dimmed">
                            {latest?.file}
                          </Text>
                        </td>
                        <td className="right">{versions.length}</td>
                        <td className="right">{latest ? count(latest.rows) : '–'}</td>
                        <td className="right">{latest?.columns ?? '–'}</td>
                        <td className="right">{latest ? count(latest.rejected) : '–'}</td>
                        <td className="right">{latest ? bytes(latest.bytes) : '–'}</td>
                        <td>{latest?.target ?? '–'}</td>
                        <td>
                          <When at={latest?.createdAt} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </TableBox>
            );
          }}
        </Answer>
      </div>
    </Page>
  );
}
