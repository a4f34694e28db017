import { Badge, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconArrowRight, IconSparkles } from '@tabler/icons-react';
import type { CleaningReport } from '@vgpu/api';
import { count, plural } from '../ui/figures.ts';
import { Empty } from '../ui/states.tsx';

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
      {report.changes.map((change) => (
        <div key={`${change.kind} ${change.column} ${change.description}`}>
          <Group gap={8}>
            <Badge variant="default" radius="sm" tt="none" fw={550}>
              {change.kind}
            </Badge>
            <Text size="sm" fw={550}>
              {change.column ?? 'Whole file'}
            </Text>
            <Text size="sm" c="dimmed">
              {change.description} · <span className="num">{count(change.count)}</span>
            </Text>
          </Group>
          {change.examples.slice(0, 3).map((example) => (
            <Group
              key={`${example.row} ${example.before} ${example.after}`}
              gap={8}
              mt={4}
              ml={4}
              wrap="nowrap"
              fz="xs"
              className="mono"
              style={{ minWidth: 0 }}
            >
              <Text component="span" inherit c="dimmed" style={{ flexShrink: 0 }}>
                {example.row === null ? '' : `row ${count(example.row)}`}
              </Text>
              <span className="ellipsis">{shown(example.before)}</span>
              <IconArrowRight size={13} style={{ flexShrink: 0 }} aria-label="became" role="img" />
              <span className="ellipsis">{shown(example.after)}</span>
            </Group>
          ))}
        </div>
      ))}
    </Stack>
  );
}
