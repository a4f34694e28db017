import { Button, FileButton } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { routes } from '@vgpu/api';
import { client } from '../server/client.ts';
import { refresh } from '../server/use-route.ts';
import { plural } from '../ui/figures.ts';
import { tell, useAct } from '../ui/use-act.ts';

/** Imports files as they are chosen: each becomes a dataset, or a new version of the one with its name. */
export function ImportButton({ name }: { name?: string }) {
  const { act, busy } = useAct();
  const bring = (files: readonly File[]) =>
    act(async () => {
      for (const file of files) {
        const result = await client.call(routes.datasets.add, {
          query: { file: file.name, ...(name ? { name } : {}) },
          body: file,
        });
        tell(
          result.existed
            ? `${result.name} has this version already.`
            : `${result.name}: ${plural(result.report.rows, 'row')} in ${plural(result.report.columns.length, 'column')}.`,
        );
      }
      await refresh(routes.datasets.list, routes.datasets.get);
    });
  return name ? (
    <FileButton onChange={(file) => file && bring([file])} accept=".csv,.tsv,.txt,.gz,.parquet">
      {(props) => (
        <Button {...props} variant="default" loading={busy} leftSection={<IconUpload size={16} />}>
          New version
        </Button>
      )}
    </FileButton>
  ) : (
    <FileButton
      onChange={(files) => files.length > 0 && bring(files)}
      accept=".csv,.tsv,.txt,.gz,.parquet"
      multiple
    >
      {(props) => (
        <Button {...props} loading={busy} leftSection={<IconUpload size={16} />}>
          Import files
        </Button>
      )}
    </FileButton>
  );
}
