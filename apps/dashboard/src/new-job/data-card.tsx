import {
  ActionIcon,
  Button,
  Checkbox,
  Collapse,
  Group,
  Loader,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconAdjustments,
  IconAlertTriangle,
  IconChevronDown,
  IconDatabase,
  IconFileTypeCsv,
  IconX,
} from '@tabler/icons-react';
import { routes } from '@vgpu/api';
import type { CleanOptions } from '@vgpu/core';
import { useEffect, useState } from 'react';
import { Changes, dialectText } from '../datasets/changes.tsx';
import { ColumnTable } from '../datasets/column-table.tsx';
import { client } from '../server/client.ts';
import { useRoute } from '../server/use-route.ts';
import { errorText } from '../ui/error-text.ts';
import { bytes, plural } from '../ui/figures.ts';
import { ScrollBox } from '../ui/scroll-box.tsx';
import type { DataRow } from './form-state.ts';

interface DataCardProps {
  row: DataRow;
  onChange: (part: Partial<DataRow>) => void;
  onRemove: () => void;
}

/** Asks the server what cleaning would do to a file, each time that file, target or options change. */
function useCheck({ file, target, clean }: DataRow, onChange: DataCardProps['onChange']): boolean {
  const [busy, setBusy] = useState(false);
  const options = JSON.stringify(clean);
  // biome-ignore lint/correctness/useExhaustiveDependencies: onChange is new at each render
  useEffect(() => {
    if (!file) return;
    const stop = new AbortController();
    setBusy(true);
    const timer = setTimeout(() => {
      const query = {
        file: file.name,
        ...(target ? { target } : {}),
        ...(options === '{}' ? {} : { clean: options }),
      };
      client
        .call(routes.datasets.check, { query, body: file }, { signal: stop.signal })
        .then((report) => onChange({ report, problem: null }))
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          const { title, hint } = errorText(error);
          onChange({ report: null, problem: [title, hint].filter(Boolean).join('. ') });
        })
        .finally(() => !stop.signal.aborted && setBusy(false));
    }, 250);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [file, target, options]);
  return busy;
}

/** One dataset of a new job: what it is, its target, and what cleaning will do. */
export function DataCard({ row, onChange, onRemove }: DataCardProps) {
  const busy = useCheck(row, onChange);
  const known = useRoute(
    routes.datasets.report,
    { params: { dataset: row.dataset ?? '' } },
    { enabled: row.dataset !== null, staleTime: Number.POSITIVE_INFINITY },
  );
  const [opened, { toggle }] = useDisclosure(false);
  const [tuning, tune] = useDisclosure(false);
  const report = row.report ?? known.data ?? null;
  const name = row.file?.name ?? row.dataset ?? '';
  const Icon = row.file ? IconFileTypeCsv : IconDatabase;
  return (
    <div className="panel" data-dataset={name}>
      <Group p="sm" gap="sm" wrap="nowrap" align="flex-start">
        <Icon size={22} stroke={1.5} style={{ flexShrink: 0, marginTop: 2 }} aria-hidden />
        <div style={{ flex: 1, minWidth: 0 }}>
          <Text fw={570} className="ellipsis">
            {name}
          </Text>
          <Text size="xs" c="dimmed" component="div">
            {busy && !report ? (
              <Group gap={6}>
                <Loader size={12} aria-hidden /> Reading the file…
              </Group>
            ) : report ? (
              `${row.file ? `${bytes(row.file.size)} · ` : ''}${plural(report.rows, 'row')}, ${plural(report.columns.length, 'column')} · ${dialectText(report.dialect)}`
            ) : (
              ''
            )}
          </Text>
          {row.problem && (
            <Group gap={6} wrap="nowrap" mt={4} role="alert" align="flex-start">
              <IconAlertTriangle
                size={16}
                color="var(--vg-failed)"
                style={{ flexShrink: 0, marginTop: 2 }}
                aria-hidden
              />
              <Text size="sm">{row.problem}</Text>
            </Group>
          )}
        </div>
        <Select
          aria-label={`Target of ${name}`}
          placeholder="Target: none"
          size="xs"
          w={{ base: 120, sm: 170 }}
          searchable
          clearable
          value={row.target || null}
          onChange={(target) => onChange({ target: target ?? '' })}
          data={targets(report?.columns.map((one) => one.name) ?? [], row.target)}
          clearButtonProps={{ 'aria-label': 'Clear the target' }}
        />
        <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${name}`} onClick={onRemove}>
          <IconX size={16} />
        </ActionIcon>
      </Group>
      {report && (
        <>
          <Group px="sm" pb="sm" gap="xs">
            <Button
              size="compact-xs"
              variant="default"
              aria-expanded={opened}
              rightSection={<IconChevronDown size={13} style={{ rotate: opened ? '180deg' : undefined }} />}
              onClick={toggle}
            >
              Cleaning plan: {plural(report.changes.length, 'kind')} of change
            </Button>
            {row.file && (
              <Button
                size="compact-xs"
                variant="default"
                aria-expanded={tuning}
                leftSection={<IconAdjustments size={13} />}
                onClick={tune.toggle}
              >
                Options
              </Button>
            )}
            {report.rejected > 0 && (
              <Text size="xs" c="var(--vg-queued)">
                {plural(report.rejected, 'row')} set aside
              </Text>
            )}
            {busy && <Loader size={14} aria-label="Checking again" />}
          </Group>
          <Collapse expanded={tuning}>
            {tuning && <CleanForm clean={row.clean} onChange={(clean) => onChange({ clean })} />}
          </Collapse>
          <Collapse expanded={opened}>
            {opened && (
              <Stack gap="md" pb="sm" style={{ borderTop: '1px solid var(--vg-border)' }}>
                <ScrollBox
                  label={`What cleaning changes in ${name}`}
                  style={{ maxHeight: 360, overflow: 'auto', padding: '12px 16px 0' }}
                >
                  <Changes report={report} />
                </ScrollBox>
                <ColumnTable
                  columns={report.columns}
                  rows={report.rows}
                  target={row.target || report.target}
                  plan
                />
              </Stack>
            )}
          </Collapse>
        </>
      )}
    </div>
  );
}

const targets = (columns: string[], target: string): string[] =>
  target && !columns.includes(target) ? [target, ...columns] : columns;

const fills = [
  { value: '', label: 'Median, else most frequent' },
  { value: 'mean', label: 'Mean' },
  { value: 'mode', label: 'Most frequent' },
  { value: 'constant', label: 'A constant' },
  { value: 'none', label: 'Leave them missing' },
];
const clips = [
  { value: '', label: 'By default' },
  { value: '0.01', label: '1st to 99th percentile' },
  { value: '0.05', label: '5th to 95th percentile' },
  { value: 'iqr', label: '1.5 × the interquartile range' },
  { value: 'none', label: 'Never' },
];

function clipOf(value: string | null): CleanOptions['clip'] {
  if (!value) return undefined;
  if (value === 'none') return 'none';
  if (value === 'iqr') return { iqr: 1.5 };
  const low = Number(value);
  return [low, 1 - low];
}

function clipKey(clip: CleanOptions['clip']): string {
  if (clip === undefined) return '';
  if (clip === 'none') return 'none';
  return Array.isArray(clip) ? String(clip[0]) : 'iqr';
}

function CleanForm({ clean, onChange }: { clean: CleanOptions; onChange: (clean: CleanOptions) => void }) {
  const set = (part: Partial<CleanOptions>) => {
    const next = { ...clean, ...part };
    for (const key of Object.keys(next) as (keyof CleanOptions)[])
      if (next[key] === undefined) delete next[key];
    onChange(next);
  };
  return (
    <Group p="sm" pt={0} gap="sm" align="flex-end">
      <Select
        label="Fill missing values with"
        size="xs"
        data={fills}
        value={clean.impute ?? ''}
        onChange={(value) => set({ impute: (value || undefined) as CleanOptions['impute'] })}
        allowDeselect={false}
      />
      {clean.impute === 'constant' && (
        <TextInput
          label="Constant"
          size="xs"
          w={110}
          value={String(clean.value ?? '')}
          onChange={(event) => set({ value: event.currentTarget.value || undefined })}
        />
      )}
      <Select
        label="Clip outliers"
        size="xs"
        data={clips}
        value={clipKey(clean.clip)}
        onChange={(value) => set({ clip: clipOf(value) })}
        allowDeselect={false}
      />
      <Checkbox
        size="xs"
        mb={7}
        label="Drop doubled rows"
        checked={clean.dropDuplicates ?? false}
        onChange={(event) => set({ dropDuplicates: event.currentTarget.checked || undefined })}
      />
      <Checkbox
        size="xs"
        mb={7}
        label="Add columns that say what was missing"
        checked={clean.missingIndicators ?? false}
        onChange={(event) => set({ missingIndicators: event.currentTarget.checked || undefined })}
      />
    </Group>
  );
}
