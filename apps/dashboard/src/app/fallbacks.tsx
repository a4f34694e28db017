import { Button, Center, Loader, Stack, Text, Title } from '@mantine/core';
import { IconArrowLeft, IconRefresh } from '@tabler/icons-react';
import { Link, useRouter } from '@tanstack/react-router';
import { errorText } from '../ui/error-text.ts';

export function PagePending() {
  return (
    <Center h={320}>
      <Loader size="sm" aria-label="Loading" />
    </Center>
  );
}

export function NotFound() {
  return (
    <Center mih={420} component="main">
      <Stack align="center" gap="sm">
        <Title order={1}>There is no such page</Title>
        <Text c="dimmed">The address may be mistyped, or what it named was deleted.</Text>
        <Button component={Link} to="/" leftSection={<IconArrowLeft size={16} />}>
          To the overview
        </Button>
      </Stack>
    </Center>
  );
}

/** A page that failed: says why, and what to do. */
export function Crash({ error }: { error: unknown }) {
  const router = useRouter();
  const { title, hint } = errorText(error);
  return (
    <Center mih={420} p="lg" component="main">
      <Stack align="center" gap="sm" maw={560} ta="center">
        <Title order={1}>This page could not be shown</Title>
        <Text>{title}</Text>
        {hint && <Text c="dimmed">{hint}</Text>}
        <Button leftSection={<IconRefresh size={16} />} onClick={() => void router.invalidate()}>
          Try again
        </Button>
      </Stack>
    </Center>
  );
}
