import { Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconArrowRight, IconSparkles } from '@tabler/icons-react';
import type { CleaningReport } from '@vgpu/api';
import { count, plural } from '../ui/figures.ts';
import { Empty } from '../ui/states.tsx';
import { changeWords } from './change-words.ts';

const delimiters: Record<string, string> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'pipe',
  ' ': 'space',
};

/** How a file was written, in words. */
export function dialectText({
  delimiter,
  quote,
  encoding,
  header,
  decimal,
  preamble,
}: CleaningReport['dialect']): string {
  return [
    `${delimiters[delimiter] ?? `“${delimiter}”`} between fields`,
    quote ? `quoted by ${quote}` : 'no quotes',
    encoding.toUpperCase(),
    header ? 'with a header' : 'without a header',
    decimal === ',' ? 'decimal comma' : 'decimal point',
    preamble > 0 && `${plural(preamble, 'line')} before the header`,
  ]
    .filter(Boolean)
    .join(', ');
}

const shown = (value: string | null): string =>
  value === null ? 'nothing' : value === '' ? '(empty)' : value;

/** What cleaning changed, with examples of before and after; and what it warns of. */
export function Changes({ report }: { report: CleaningReport }) {
  if (report.changes.length + report.warnings.length === 0) {
    return (
      <Empty icon={IconSparkles} title="Nothing had to be changed">
        Every row and cell of the file was taken as it is.
      </Empty>
    );
  }
  return (
    <Stack gap="md">
      {report.warnings.map((text) => (
        <Group key={text} gap={8} wrap="nowrap" align="flex-start">
          <IconAlertTriangle
            size={17}
            color="var(--vg-queued)"
            role="img"
            aria-label="Warning"
            style={{ flexShrink: 0, marginTop: 2 }}
          />
          <Text size="sm">{text}</Text>
        </Group>
      ))}
      {byKind(report.changes).map(([kind, changes]) => (
        <Kind key={kind} kind={kind} changes={changes} />
      ))}
    </Stack>
  );
}

type Change = CleaningReport['changes'][number];

function byKind(changes: readonly Change[]): [string, Change[]][] {
  const kinds = new Map<string, Change[]>();
  for (const change of changes) kinds.set(change.kind, [...(kinds.get(change.kind) ?? []), change]);
  return [...kinds];
}

/** One kind of change over all columns: a line for each, with its first example. */
function Kind({ kind, changes }: { kind: string; changes: readonly Change[] }) {
  const total = changes.reduce((sum, change) => sum + change.count, 0);
  return (
    <div>
      <Text size="sm" fw={570}>
        {changeWords(kind)}{' '}
        <Text component="span" size="sm" c="dimmed" className="num">
          {count(total)}
        </Text>
      </Text>
      {changes.map((change) => (
        <Group
          key={`${change.column} ${change.description}`}
          gap={10}
          wrap="nowrap"
          fz="xs"
          mt={3}
          style={{ minWidth: 0 }}
        >
          <span className="ellipsis" style={{ width: 150, flexShrink: 0 }} title={change.description}>
            {change.column ?? 'whole file'}
          </span>
          <Text
            component="span"
            inherit
            c="dimmed"
            className="num"
            style={{ width: 56, flexShrink: 0, textAlign: 'right' }}
          >
            {count(change.count)}
          </Text>
          <Example example={change.examples[0]} />
        </Group>
      ))}
    </div>
  );
}

function Example({ example }: { example: Change['examples'][number] | undefined }) {
  if (!example) return null;
  return (
    <span className="mono" style={{ display: 'inline-flex', gap: 8, minWidth: 0, alignItems: 'center' }}>
      <span className="ellipsis">{shown(example.before)}</span>
      <IconArrowRight size={13} style={{ flexShrink: 0 }} aria-label="became" role="img" />
      <span className="ellipsis">{shown(example.after)}</span>
    </span>
  );
}
