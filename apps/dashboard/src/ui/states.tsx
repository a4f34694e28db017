import { Button, Center, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh, type TablerIcon } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { errorText } from './error-text.ts';
import { Page } from './page.tsx';

interface EmptyProps {
  icon: TablerIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** Nothing here yet: says why, and what to do next. */
export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <Center py={44} px="md">
      <Stack align="center" gap={6} maw={480} ta="center">
        <span
          style={{ padding: 12, borderRadius: 14, background: 'var(--vg-sunken)', display: 'inline-flex' }}
          aria-hidden
        >
          <Icon size={26} stroke={1.5} color="var(--mantine-color-dimmed)" />
        </span>
        <Text fw={600} mt={6}>
          {title}
        </Text>
        {children && (
          <Text component="div" size="sm" c="dimmed">
            {children}
          </Text>
        )}
        {action && <div style={{ marginTop: 10 }}>{action}</div>}
      </Stack>
    </Center>
  );
}

/** What went wrong, what to do, and another try. */
export function Failed({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, hint } = errorText(error);
  return (
    <Center py={36} px="md" role="alert">
      <Stack align="center" gap={6} maw={560} ta="center">
        <IconAlertTriangle size={26} stroke={1.6} color="var(--vg-failed)" aria-hidden />
        <Text fw={600}>{title}</Text>
        {hint && (
          <Text size="sm" c="dimmed">
            {hint}
          </Text>
        )}
        {onRetry && (
          <Button
            mt="xs"
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={14} />}
            onClick={onRetry}
          >
            Try again
          </Button>
        )}
      </Stack>
    </Center>
  );
}

export function Loading({ lines = 5 }: { lines?: number }) {
  return (
    <Stack gap={10} p="md" aria-busy="true" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <Skeleton key={i} height={16} width={`${92 - ((i * 17) % 40)}%`} />
      ))}
    </Stack>
  );
}

interface PageAnswerProps<T> {
  query: UseQueryResult<T>;
  /** Heading while there is nothing to show. */
  title: string;
  children: (data: T) => ReactNode;
}

/** As {@link Answer}, where the whole page hangs on it: the page has its heading in any case. */
export function PageAnswer<T>({ query, title, children }: PageAnswerProps<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  return (
    <Page title={title}>
      <div className="panel">
        {query.error ? (
          <Failed error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Loading lines={8} />
        )}
      </div>
    </Page>
  );
}

interface AnswerProps<T> {
  query: UseQueryResult<T>;
  lines?: number;
  children: (data: T) => ReactNode;
}

/** The answer of a query: while it loads, when it failed, and when it is there. Old data beats an error. */
export function Answer<T>({ query, lines, children }: AnswerProps<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Failed error={query.error} onRetry={() => void query.refetch()} />;
  return <Loading lines={lines} />;
}
