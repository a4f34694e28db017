import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useAct } from './use-act.ts';

interface ConfirmProps {
  title: string;
  children: ReactNode;
  /** What the button says: a verb with its object. */
  action: string;
  onConfirm: () => Promise<unknown>;
  /** What opens the question. */
  trigger: (open: () => void) => ReactNode;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, children, action, onConfirm, trigger }: ConfirmProps) {
  const [opened, setOpened] = useState(false);
  const { act, busy } = useAct();
  return (
    <>
      {trigger(() => setOpened(true))}
      <Modal opened={opened} onClose={() => setOpened(false)} title={title} centered>
        <Stack>
          <Text component="div" size="sm">
            {children}
          </Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => setOpened(false)}>
              Cancel
            </Button>
            <Button
              color="red.9"
              loading={busy}
              onClick={() => act(onConfirm).then((done) => done && setOpened(false))}
              data-autofocus
            >
              {action}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
