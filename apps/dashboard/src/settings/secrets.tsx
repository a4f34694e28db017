import { Badge, Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconLock, IconPlus } from '@tabler/icons-react';
import { routes, type Secret } from '@vgpu/api';
import { useState } from 'react';
import { client } from '../server/client.ts';
import { refresh, useRoute } from '../server/use-route.ts';
import { Confirm } from '../ui/confirm.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { bytes } from '../ui/figures.ts';
import { Panel } from '../ui/panel.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { useAct } from '../ui/use-act.ts';
import { When } from '../ui/when.tsx';

const columns: readonly Column<Secret>[] = [
  {
    title: 'Name',
    cell: (one) => (
      <Group gap={8} wrap="nowrap">
        <span style={{ fontWeight: 550 }}>{one.name}</span>
        {!one.readable && (
          <Badge size="sm" color="red.9" tt="none" miw="max-content">
            set it again
          </Badge>
        )}
      </Group>
    ),
  },
  { title: 'Size', right: true, cell: (one) => bytes(one.bytes) },
  { title: 'Kind', cell: (one) => (one.text ? 'text' : 'binary') },
  { title: 'Set', cell: (one) => <When at={one.updatedAt} /> },
  { title: 'By', cell: (one) => one.updatedBy },
  {
    title: 'Actions',
    quiet: true,
    right: true,
    cell: (one) => (
      <Group gap={6} justify="flex-end" wrap="nowrap">
        <SetSecret name={one.name} />
        <Confirm
          title={`Delete ${one.name}?`}
          action="Delete secret"
          onConfirm={async () => {
            await client.call(routes.secrets.remove, { params: { secret: one.name } });
            await refresh(routes.secrets.list);
          }}
          trigger={(open) => (
            <Button size="compact-sm" variant="default" onClick={open} aria-label={`Delete ${one.name}`}>
              Delete
            </Button>
          )}
        >
          Tasks that need it and have not started will fail. Running ones keep it until they end.
        </Confirm>
      </Group>
    ),
  },
];

/** Secrets of the project: names and ages; a value goes in and never comes out. */
export function Secrets() {
  const secrets = useRoute(routes.secrets.list, {});
  return (
    <Panel title="Secrets" flush aside={<SetSecret />}>
      <Answer query={secrets} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon={IconLock} title="No secrets">
              Keys and passwords that jobs need, without anybody seeing them: a job names them, its workers
              find them under /run/secrets.
            </Empty>
          ) : (
            <DataTable label="Table of secrets" columns={columns} rows={items} keyOf={(one) => one.name} />
          )
        }
      </Answer>
    </Panel>
  );
}

/** The button and the form behind it: a new secret, or another value for one that is there. */
function SetSecret({ name: known }: { name?: string }) {
  const [opened, form] = useDisclosure(false);
  return (
    <>
      {known === undefined ? (
        <Button size="xs" leftSection={<IconPlus size={15} />} onClick={form.open}>
          New secret
        </Button>
      ) : (
        <Button size="compact-sm" variant="default" onClick={form.open} aria-label={`Replace ${known}`}>
          Replace
        </Button>
      )}
      <Modal
        opened={opened}
        onClose={form.close}
        title={known === undefined ? 'New secret' : `Another value for ${known}`}
        closeOnClickOutside={false}
      >
        <SecretForm known={known} onDone={form.close} />
      </Modal>
    </>
  );
}

function SecretForm({ known, onDone }: { known: string | undefined; onDone: () => void }) {
  const [name, setName] = useState(known ?? '');
  const [value, setValue] = useState('');
  const { act, busy } = useAct();
  const save = () =>
    act(async () => {
      await client.call(routes.secrets.set, { params: { secret: name.trim() }, body: { value } });
      await refresh(routes.secrets.list);
    }, `${name.trim()} is set.`).then((well) => well && onDone());
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Stack>
        {known === undefined && (
          <TextInput
            label="Name"
            placeholder="HF_TOKEN"
            value={name}
            maxLength={63}
            autoComplete="off"
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
        )}
        <PasswordInput
          label="Value"
          description="It is sealed on the server and not shown again. Files and values of several lines go in by vgpu secret set."
          value={value}
          autoComplete="new-password"
          onChange={(event) => setValue(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show what was typed' }}
          data-autofocus={known !== undefined || undefined}
        />
        <Group justify="space-between">
          <Text size="xs" c="dimmed">
            Everybody who may submit jobs here can use it.
          </Text>
          <Button type="submit" loading={busy} disabled={!name.trim() || !value}>
            {known === undefined ? 'Set secret' : 'Replace value'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
