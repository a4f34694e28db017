import { Group, Kbd, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { spotlight } from '@mantine/spotlight';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { destinations } from './main-nav.ts';

const pages = destinations.flatMap((one) => one.items);

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches('textarea, select, input:not([type=radio], [type=checkbox], [type=range], [type=file])'));

/** The page's own search field where it has one, else the palette. */
function search(): void {
  const field = document.querySelector<HTMLInputElement>('[data-page-search]:not([disabled])');
  if (field?.checkVisibility()) field.focus();
  else spotlight.open();
}

/** `/` searches, `g` and a letter goes to a page, `?` shows the list. Ctrl K is the palette's own. */
export function Shortcuts() {
  const navigate = useNavigate();
  const [opened, help] = useDisclosure(false);
  const went = useRef(0);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[aria-modal="true"]')) return;
      if (Date.now() - went.current < 1200) {
        went.current = 0;
        const page = pages.find((one) => one.key === event.key);
        if (page) {
          event.preventDefault();
          void navigate({ to: page.to });
          return;
        }
      }
      if (event.key === 'g') went.current = Date.now();
      else if (event.key === '/') {
        event.preventDefault();
        search();
      } else if (event.key === '?') help.open();
    };
    addEventListener('keydown', press);
    addEventListener('vgpu:help', help.open);
    return () => {
      removeEventListener('keydown', press);
      removeEventListener('vgpu:help', help.open);
    };
  }, [navigate, help.open]);
  return (
    <Modal opened={opened} onClose={help.close} title="Keyboard" size="md">
      <ShortcutList />
    </Modal>
  );
}

function Line({ text, keys }: { text: string; keys: string[] }) {
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm">{text}</Text>
      <Group gap={4} wrap="nowrap">
        {keys.map((key) => (
          <Kbd key={key}>{key}</Kbd>
        ))}
      </Group>
    </Group>
  );
}

/** Every key and what it does. */
export function ShortcutList() {
  return (
    <Stack gap={8}>
      <Line text="Search on this page" keys={['/']} />
      <Line text="Command palette" keys={['Ctrl', 'K']} />
      <Line text="This list" keys={['?']} />
      {pages.map((page) => (
        <Line key={page.to} text={`Go to ${page.title}`} keys={['g', page.key]} />
      ))}
      <Line text="Log: first and last line" keys={['Home', 'End']} />
    </Stack>
  );
}
