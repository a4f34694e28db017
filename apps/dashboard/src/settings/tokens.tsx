import {
  Alert,
  Badge,
  Button,
  Checkbox,
  Code,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconCheck, IconCopy, IconKey, IconPlus } from '@tabler/icons-react';
import { type RouteOutput, routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { useState } from 'react';
import { client } from '../server/client.ts';
import { refresh, useRoute } from '../server/use-route.ts';
import { Confirm } from '../ui/confirm.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Panel } from '../ui/panel.tsx';
import { Answer, Empty } from '../ui/states.tsx';
import { useAct } from '../ui/use-act.ts';
import { When } from '../ui/when.tsx';

type Scope = 'read' | 'write' | 'admin';
const scopes: readonly { value: Scope; label: string; description: string }[] = [
  { value: 'read', label: 'Read', description: 'see jobs, logs, datasets and the machine' },
  { value: 'write', label: 'Write', description: 'submit, stop and delete jobs and datasets' },
  { value: 'admin', label: 'Admin', description: 'images, pools and tokens' },
];
const lifetimes = [
  { value: 'never', label: 'No end' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '365', label: '1 year' },
];

type Row = RouteOutput<typeof routes.access.tokens>['items'][number];

const columns: readonly Column<Row>[] = [
  { title: 'Name', style: { fontWeight: 550 }, cell: (one) => one.name },
  {
    title: 'May',
    cell: (one) => (
      <Group gap={4} wrap="nowrap">
        {one.scopes.map((scope) => (
          <Badge key={scope} variant="default" size="sm" tt="none" fw={500} miw="max-content">
            {scope}
          </Badge>
        ))}
      </Group>
    ),
  },
  { title: 'User', cell: (one) => one.user },
  { title: 'Created', cell: (one) => <When at={one.createdAt} /> },
  { title: 'Last used', cell: (one) => <When at={one.lastUsedAt} fallback="never" /> },
  { title: 'Ends', cell: (one) => <When at={one.expiresAt} fallback="no end" /> },
  {
    title: 'Actions',
    right: true,
    quiet: true,
    cell: (one) => (
      <Confirm
        title={`Revoke ${one.name}?`}
        action="Revoke token"
        onConfirm={async () => {
          await client.call(routes.access.revokeToken, { params: { token: one.id } });
          await refresh(routes.access.tokens);
        }}
        trigger={(open) => (
          <Button size="compact-sm" variant="default" onClick={open} aria-label={`Revoke ${one.name}`}>
            Revoke
          </Button>
        )}
      >
        Whatever signs in with it stops working at once.
      </Confirm>
    ),
  },
];

/** Tokens: who may do what, made once and shown once. */
export function Tokens() {
  const tokens = useRoute(routes.access.tokens, {});
  const [opened, form] = useDisclosure(false);
  const forbidden = tokens.error instanceof VgpuError && tokens.error.code === 'FORBIDDEN';
  return (
    <Panel
      title="Tokens"
      flush
      aside={
        !forbidden && (
          <Button size="xs" leftSection={<IconPlus size={15} />} onClick={form.open}>
            New token
          </Button>
        )
      }
    >
      {forbidden ? (
        <Empty icon={IconKey} title="Tokens are an administrator’s">
          Ask one for a token for your programs.
        </Empty>
      ) : (
        <Answer query={tokens}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty icon={IconKey} title="No tokens">
                Programs, notebooks and other machines sign in with a token.
              </Empty>
            ) : (
              <DataTable label="Table of tokens" columns={columns} rows={items} keyOf={(one) => one.id} />
            )
          }
        </Answer>
      )}
      <Modal opened={opened} onClose={form.close} title="New token" closeOnClickOutside={false}>
        <NewToken onDone={form.close} />
      </Modal>
    </Panel>
  );
}

function NewToken({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<Scope[]>(['read', 'write']);
  const [days, setDays] = useState<string | null>('never');
  const [secret, setSecret] = useState<string | null>(null);
  const { act, busy } = useAct();
  if (secret) {
    return (
      <Stack>
        <Alert variant="light" title="Copy it now" icon={<IconKey size={18} />}>
          <Text size="sm" c="var(--mantine-color-text)">
            This is the only time that it is shown; the server keeps a hash of it.
          </Text>
        </Alert>
        <Code block style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }} data-secret>
          {secret}
        </Code>
        <Group justify="flex-end" gap="xs">
          <CopyButton value={secret}>
            {({ copied, copy }) => (
              <Button
                variant="default"
                leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
                onClick={copy}
              >
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
          <Button onClick={onDone}>Done</Button>
        </Group>
      </Stack>
    );
  }
  const make = () =>
    act(async () => {
      const made = await client.call(routes.access.createToken, {
        body: {
          name: name.trim(),
          scopes: chosen,
          ...(days && days !== 'never' ? { expiresAt: Date.now() + Number(days) * 86_400_000 } : {}),
        },
      });
      setSecret(made.secret);
      await refresh(routes.access.tokens);
    });
  return (
    <Stack>
      <TextInput
        label="Name"
        placeholder="notebook"
        value={name}
        maxLength={63}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <Checkbox.Group label="May" value={chosen} onChange={(value) => setChosen(value as Scope[])}>
        <Stack gap={8} mt={6}>
          {scopes.map((one) => (
            <Checkbox
              key={one.value}
              value={one.value}
              label={one.label}
              description={one.description}
              size="sm"
            />
          ))}
        </Stack>
      </Checkbox.Group>
      <Select label="Ends after" data={lifetimes} value={days} onChange={setDays} allowDeselect={false} />
      <Group justify="flex-end">
        <Button loading={busy} disabled={!name.trim() || chosen.length === 0} onClick={make}>
          Create token
        </Button>
      </Group>
    </Stack>
  );
}
