import { Button, Group, Modal, NumberInput, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type Accelerator, routes } from '@vgpu/api';
import { useState } from 'react';
import { client } from '../server/client.ts';
import { refresh } from '../server/use-route.ts';
import { useAct } from '../ui/use-act.ts';

const again = () => refresh(routes.accelerators.list, routes.machine.queue, routes.jobs.list);

/** Takes an accelerator out of service, or back in: cordon, drain and uncordon. */
export function ServiceButton({ one }: { one: Accelerator }) {
  const [opened, form] = useDisclosure(false);
  const { act, busy } = useAct();
  const name = `${one.model} (${one.index})`;
  if (one.health !== 'healthy') {
    const back = async () => {
      await client.call(routes.accelerators.uncordon, { params: { uuid: one.uuid } });
      await again();
    };
    return (
      <Button
        size="compact-sm"
        variant="default"
        loading={busy}
        onClick={() => act(back, `${name} takes work again.`)}
        aria-label={`Take back in: ${name}`}
      >
        Take back in
      </Button>
    );
  }
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={form.open} aria-label={`Take out: ${name}`}>
        Take out
      </Button>
      <Modal opened={opened} onClose={form.close} title={`Take ${name} out of service?`}>
        <Question one={one} name={name} onDone={form.close} />
      </Modal>
    </>
  );
}

function Question({ one, name, onDone }: { one: Accelerator; name: string; onDone: () => void }) {
  const [drain, setDrain] = useState(false);
  const [grace, setGrace] = useState(0);
  const [reason, setReason] = useState('');
  const { act, busy } = useAct();
  const out = async () => {
    const body = {
      drain,
      grace: drain ? grace * 1000 : 0,
      ...(reason.trim() ? { reason: reason.trim() } : {}),
    };
    await client.call(routes.accelerators.cordon, { params: { uuid: one.uuid }, body });
    await again();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void act(out, `${name} takes no new work.`).then((well) => well && onDone());
      }}
    >
      <Stack>
        <Text size="sm">It is given no new work until it is taken back in, after restarts too.</Text>
        <Switch
          label="Send what runs on it back to the queue"
          description="else running tasks go on to their end"
          checked={drain}
          onChange={(event) => setDrain(event.currentTarget.checked)}
        />
        {drain && (
          <NumberInput
            label="Seconds to end by themselves"
            description="tasks are asked to end (SIGTERM), and ended when this is over"
            min={0}
            max={86_400}
            allowDecimal={false}
            value={grace}
            onChange={(value) => setGrace(Number(value) || 0)}
          />
        )}
        <TextInput
          label="Reason"
          placeholder="fan is loud"
          description="shown beside it"
          maxLength={200}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Take out of service
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
