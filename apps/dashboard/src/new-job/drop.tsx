import { Group, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconFileCode, IconUpload, IconX } from '@tabler/icons-react';
import type { ScriptFile } from '../bundle/upload.ts';
import '@mantine/dropzone/styles.css';

const table = /\.(csv|tsv|dat|txt|txt\.gz|csv\.gz|tsv\.gz|parquet)$/i;
/** Text files that go along with a script. */
const notes = /(^|\/)(requirements|readme|license|licence|notes?|constraints)[^/]*\.txt$/i;

const isData = (name: string): boolean => table.test(name) && !notes.test(name);

export interface Dropped {
  code: ScriptFile[];
  data: File[];
}

/** Which files are data, which are the script's folder. Paths lose the name of a dropped folder. */
export function sortFiles(files: readonly File[]): Dropped {
  const pathOf = (file: File) => {
    const path = (file as { path?: string }).path ?? file.webkitRelativePath ?? file.name;
    return path.replace(/^\.?\//, '') || file.name;
  };
  const data = files.filter((file) => isData(file.name));
  const code = files.filter((file) => !isData(file.name)).map((file) => ({ path: pathOf(file), file }));
  const top = code[0]?.path.split('/')[0];
  const nested = code.length > 0 && code.every((one) => one.path.startsWith(`${top}/`));
  return {
    data,
    code: nested ? code.map((one) => ({ ...one, path: one.path.slice(top!.length + 1) })) : code,
  };
}

/** Where script and CSVs are dropped. */
export function Drop({ onFiles }: { onFiles: (files: Dropped) => void }) {
  return (
    <Dropzone
      onDrop={(files) => onFiles(sortFiles(files))}
      useFsAccessApi={false}
      inputProps={{ 'aria-label': 'Script and data files' } as never}
      styles={{ root: { background: 'var(--vg-sunken)', borderColor: 'var(--vg-border)' } }}
    >
      <Group justify="center" gap="md" mih={96} wrap="nowrap" style={{ pointerEvents: 'none' }}>
        <Dropzone.Accept>
          <IconUpload size={34} stroke={1.4} aria-hidden />
        </Dropzone.Accept>
        <Dropzone.Reject>
          <IconX size={34} stroke={1.4} aria-hidden />
        </Dropzone.Reject>
        <Dropzone.Idle>
          <IconFileCode size={34} stroke={1.4} aria-hidden />
        </Dropzone.Idle>
        <div>
          <Text fw={570}>Drop a script and its CSV files here, or click to choose them</Text>
          <Text size="sm" c="dimmed">
            A whole folder works too. Each CSV gets its own worker; other files go along with the script.
          </Text>
        </div>
      </Group>
    </Dropzone>
  );
}
