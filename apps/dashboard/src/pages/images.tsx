import { Badge, Button, Code, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconCards, IconHammer, IconTrash } from '@tabler/icons-react';
import { type RouteOutput, routes } from '@vgpu/api';
import { useEffect, useRef, useState } from 'react';
import { client } from '../server/client.ts';
import { refresh, useRoute } from '../server/use-route.ts';
import { Confirm } from '../ui/confirm.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { errorText } from '../ui/error-text.ts';
import { bytes, plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { ScrollBox } from '../ui/scroll-box.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';

type Row = RouteOutput<typeof routes.images.list>['items'][number];

const columns: readonly Column<Row>[] = [
  {
    title: 'Image',
    cell: (one) => (
      <>
        <Group gap={8} wrap="nowrap">
          <Text component="span" size="sm" fw={570}>
            {one.name ?? one.tags[0]?.split(':')[0] ?? 'without a name'}
          </Text>
          {one.managed && (
            <Badge size="xs" variant="default" tt="none" miw="max-content">
              made by vgpu
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed" className="mono">
          {one.id.replace('sha256:', '').slice(0, 12)}
        </Text>
      </>
    ),
  },
  {
    title: 'Tags',
    cell: (one) => (
      <Group gap={4}>
        {one.tags.length === 0 ? (
          <Text size="xs" c="dimmed">
            none
          </Text>
        ) : (
          one.tags.map((tag) => <Code key={tag}>{tag}</Code>)
        )}
      </Group>
    ),
  },
  { title: 'Size', right: true, cell: (one) => bytes(one.bytes) },
  { title: 'Created', cell: (one) => <When at={one.created} /> },
  { title: 'In use', cell: (one) => (one.inUse > 0 ? plural(one.inUse, 'container') : 'no') },
  {
    title: 'Actions',
    right: true,
    quiet: true,
    cell: (one) => (
      <Confirm
        title={`Delete ${one.name ?? one.tags[0] ?? 'this image'}?`}
        action="Delete image"
        onConfirm={async () => {
          await client.call(routes.images.remove, { params: { image: one.id } });
          await refresh(routes.images.list);
        }}
        trigger={(open) => (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconTrash size={14} />}
            disabled={one.inUse > 0}
            onClick={open}
          >
            Delete
          </Button>
        )}
      >
        Jobs that name it cannot start until it is built or pulled again.
      </Confirm>
    ),
  },
];

/** Worker images: what there is, and building another. */
export default function Images() {
  const images = useRoute(routes.images.list, {}, { every: 15_000 });
  const [building, build] = useDisclosure(false);
  const button = (
    <Button leftSection={<IconHammer size={16} />} onClick={build.open}>
      Build an image
    </Button>
  );
  return (
    <Page
      title="Images"
      about={images.data ? `${plural(images.data.items.length, 'image')} in the engine` : 'Loading…'}
      actions={button}
    >
      <div className="panel">
        <Answer query={images}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty icon={IconCards} title="No images yet" action={button}>
                Workers start from an image with Python and its libraries. The first job builds the standard
                one, called <code>sklearn</code>; it can be built ahead here.
              </Empty>
            ) : (
              <DataTable label="Images" columns={columns} rows={items} keyOf={(one) => one.id} />
            )
          }
        </Answer>
      </div>
      <Modal
        opened={building}
        onClose={build.close}
        title="Build an image"
        size="lg"
        closeOnClickOutside={false}
      >
        <Build />
      </Modal>
    </Page>
  );
}

type BuildEvent =
  | { type: 'step'; step: string }
  | { type: 'output'; text: string }
  | { type: 'done'; image: string; id: string }
  | { type: 'error'; error: { message: string; hint: string } };

/** Lines of a stream of one JSON object each. */
async function* events(response: Response): AsyncGenerator<BuildEvent> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    rest += value ?? '';
    const lines = rest.split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    for (const line of lines) if (line.trim()) yield JSON.parse(line) as BuildEvent;
    if (done) return;
  }
}

function Build() {
  const [name, setName] = useState('sklearn');
  const [requirements, setRequirements] = useState('');
  const [lines, setLines] = useState<string[]>([]);
  const [result, setResult] = useState<{ good: boolean; text: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const end = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line moves the view to the end
  useEffect(() => {
    // A block: browsers of late give back a promise, which React would take for a clean-up.
    end.current?.scrollTo(0, end.current.scrollHeight);
  }, [lines]);
  const start = async () => {
    setBusy(true);
    setLines([]);
    setResult(null);
    try {
      const body = { name, ...(requirements.trim() ? { requirements } : {}) };
      const response = await client.call(routes.images.build, { body });
      for await (const event of events(response)) {
        if (event.type === 'step') setLines((old) => [...old.slice(-500), `▸ ${event.step}`]);
        else if (event.type === 'output') setLines((old) => [...old.slice(-500), event.text]);
        else if (event.type === 'done') setResult({ good: true, text: `${event.image} is built.` });
        else setResult({ good: false, text: `${event.error.message}. ${event.error.hint}` });
      }
    } catch (error) {
      setResult({ good: false, text: errorText(error).title });
    }
    setBusy(false);
    await refresh(routes.images.list);
  };
  return (
    <Stack>
      <TextInput
        label="Name"
        description="What a job writes as image"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Textarea
        label="Python packages"
        description="One a line, as in requirements.txt; empty builds the standard image"
        placeholder={'lightgbm==4.6.0\nshap'}
        autosize
        minRows={3}
        maxRows={10}
        value={requirements}
        onChange={(event) => setRequirements(event.currentTarget.value)}
      />
      {lines.length > 0 && (
        <ScrollBox ref={end} label="Output of the build" style={{ maxHeight: 280, overflow: 'auto' }}>
          <Code block style={{ overflow: 'visible', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {lines.join('\n')}
          </Code>
        </ScrollBox>
      )}
      {result && (
        <Text size="sm" role="status" c={result.good ? 'var(--vg-completed)' : 'var(--vg-failed)'}>
          {result.text}
        </Text>
      )}
      <Group justify="flex-end">
        <Button loading={busy} disabled={!name.trim()} leftSection={<IconHammer size={16} />} onClick={start}>
          Build
        </Button>
      </Group>
    </Stack>
  );
}
