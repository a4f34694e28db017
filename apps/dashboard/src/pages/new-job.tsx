import { ActionIcon, Alert, Button, Group, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import {
  IconAlertTriangle,
  IconDatabasePlus,
  IconFileCode,
  IconPlayerPlay,
  IconX,
} from '@tabler/icons-react';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { routes } from '@vgpu/api';
import { newId, parseBytes, parseDuration } from '@vgpu/core';
import { useEffect, useRef, useState } from 'react';
import { uploadBundle, worthSending } from '../bundle/upload.ts';
import { ArgsForm } from '../new-job/args-form.tsx';
import { DataCard } from '../new-job/data-card.tsx';
import { Drop, type Dropped } from '../new-job/drop.tsx';
import { type DataRow, dataRow, emptyForm, type FormState, formOf } from '../new-job/form-state.ts';
import { Placement } from '../new-job/placement.tsx';
import { problemOf, ResourcesForm } from '../new-job/resources-form.tsx';
import { submit } from '../new-job/submit.ts';
import { useRoute } from '../server/use-route.ts';
import { errorText } from '../ui/error-text.ts';
import { bytes, plural } from '../ui/figures.ts';
import { Page } from '../ui/page.tsx';
import { Panel } from '../ui/panel.tsx';
import { Failed, Loading } from '../ui/states.tsx';

const route = getRouteApi('/app/new');
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;

/** Script and data in, a look at what will happen, and off it goes. */
export default function NewJob() {
  const { from, dataset } = route.useSearch();
  const source = useRoute(routes.jobs.get, { params: { job: from ?? '' } }, { enabled: from !== undefined });
  if (from && source.error) return <Failed error={source.error} onRetry={() => void source.refetch()} />;
  if (from && !source.data) return <Loading />;
  const start = source.data && from ? formOf(source.data) : emptyForm();
  if (dataset && !from) start.data = [dataRow({ dataset })];
  return <JobForm key={from ?? dataset ?? ''} start={start} copyOf={from ? source.data?.name : undefined} />;
}

function useForm(start: FormState) {
  const [form, setForm] = useState(start);
  const set = (part: Partial<FormState>) => setForm((old) => ({ ...old, ...part }));
  const setRow = (key: number, part: Partial<DataRow>) =>
    setForm((old) => ({
      ...old,
      data: old.data.map((row) => (row.key === key ? { ...row, ...part } : row)),
    }));
  const take = ({ code, data }: Dropped) =>
    setForm((old) => {
      const files = worthSending([
        ...old.files.filter((one) => !code.some((each) => each.path === one.path)),
        ...code,
      ]);
      const scripts = files.filter((one) => one.path.endsWith('.py')).map((one) => one.path);
      const script =
        code.length === 0 || (files.length && scripts.includes(old.script) && old.files.length > 0)
          ? old.script
          : (scripts.find((path) => /(^|\/)(train|main|run)\.py$/.test(path)) ??
            scripts[0] ??
            files[0]?.path ??
            '');
      return {
        ...old,
        files,
        script,
        bundle: code.length > 0 ? null : old.bundle,
        name: old.name || suggestName(script),
        data: [...old.data, ...data.map((file) => dataRow({ file }))],
      };
    });
  return { form, set, setRow, take };
}

const suggestName = (script: string): string =>
  script
    .split('/')
    .pop()!
    .replace(/\.\w+$/, '')
    .replace(/[^a-zA-Z0-9._-]+/g, '-')
    .replace(/^[^a-zA-Z0-9]+/, '')
    .slice(0, 63);

/** Uploads the folder as soon as it is there, so that the script's options can be read from it. */
function useEarlyUpload(form: FormState, set: (part: Partial<FormState>) => void): string | null {
  const [problem, setProblem] = useState<string | null>(null);
  const key = form.files.map((one) => `${one.path}:${one.file.size}:${one.file.lastModified}`).join('|');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key names the files
  useEffect(() => {
    if (form.files.length === 0) return;
    let gone = false;
    setProblem(null);
    uploadBundle(form.files)
      .then((bundle) => !gone && set({ bundle }))
      .catch((error: unknown) => !gone && setProblem(errorText(error).title));
    return () => {
      gone = true;
    };
  }, [key]);
  return problem;
}

function JobForm({ start, copyOf }: { start: FormState; copyOf: string | undefined }) {
  const { form, set, setRow, take } = useForm(start);
  const uploadProblem = useEarlyUpload(form, set);
  const navigate = useNavigate();
  const [step, setStep] = useState<string | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const key = useRef(newId('request'));
  const badName = form.name !== '' && !namePattern.test(form.name);
  const broken =
    badName ||
    problemOf(parseBytes, form.memory) !== undefined ||
    problemOf(parseDuration, form.time) !== undefined ||
    form.data.some((row) => row.problem !== null);

  const send = async () => {
    setProblem(null);
    try {
      const job = await submit(form, key.current, setStep);
      await navigate({ to: '/jobs/$job', params: { job: job.id } });
    } catch (error) {
      setProblem(error);
      setStep(null);
      key.current = newId('request');
    }
  };

  return (
    <Page
      title={copyOf ? `New job, like ${copyOf}` : 'New job'}
      tab="New job"
      about="A script over any number of datasets; each dataset gets its own isolated worker."
    >
      <div className="new-job">
        <Stack gap="md" style={{ minWidth: 0 }}>
          <Drop onFiles={take} />
          {(form.script || form.files.length > 0) && <Script form={form} set={set} problem={uploadProblem} />}
          <Data form={form} set={set} setRow={setRow} />
          {form.script && (
            <Panel title="Arguments of the script">
              <ArgsForm form={form} set={set} />
            </Panel>
          )}
        </Stack>
        <Stack gap="md" style={{ minWidth: 0 }}>
          <Panel title="Each worker gets">
            <ResourcesForm form={form} set={set} />
          </Panel>
          <Panel title="Where and when">
            <Placement form={form} />
          </Panel>
          <Panel>
            <Stack gap="sm">
              <TextInput
                label="Name of the job"
                placeholder="churn"
                value={form.name}
                error={badName ? 'Use 1 to 63 letters, digits, ".", "_" or "-"' : undefined}
                onChange={(event) => set({ name: event.currentTarget.value })}
              />
              {problem !== null && (
                <Alert
                  color="red"
                  variant="light"
                  icon={<IconAlertTriangle size={18} />}
                  title="Not submitted"
                  role="alert"
                >
                  <Text size="sm" c="var(--mantine-color-text)">
                    {errorText(problem).title}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {errorText(problem).hint}
                  </Text>
                </Alert>
              )}
              <Button
                fullWidth
                size="md"
                leftSection={<IconPlayerPlay size={18} />}
                loading={step !== null}
                disabled={!form.script || broken}
                onClick={send}
              >
                Submit
              </Button>
              <Text size="xs" c="dimmed" ta="center" role="status" mih={18}>
                {step
                  ? `${step}…`
                  : form.script
                    ? `${plural(Math.max(1, form.data.length), 'task')}`
                    : 'A script is needed first'}
              </Text>
            </Stack>
          </Panel>
        </Stack>
      </div>
    </Page>
  );
}

function Script({
  form,
  set,
  problem,
}: {
  form: FormState;
  set: (part: Partial<FormState>) => void;
  problem: string | null;
}) {
  const total = form.files.reduce((sum, one) => sum + one.file.size, 0);
  return (
    <Group className="panel" p="sm" gap="sm" wrap="nowrap" align="center">
      <IconFileCode size={22} stroke={1.5} aria-hidden style={{ flexShrink: 0 }} />
      <div style={{ flex: 1, minWidth: 0 }}>
        <Text fw={570} className="ellipsis">
          {form.script}
        </Text>
        <Text size="xs" c={problem ? 'var(--vg-failed)' : 'dimmed'}>
          {problem ??
            (form.files.length > 0
              ? `${plural(form.files.length, 'file')}, ${bytes(total)}`
              : 'The folder of the job that is duplicated')}
        </Text>
      </div>
      {form.files.length > 1 && (
        <Select
          size="xs"
          w={{ base: 130, sm: 200 }}
          aria-label="Script to run"
          data={form.files.map((one) => one.path)}
          value={form.script}
          allowDeselect={false}
          searchable
          onChange={(script) => script && set({ script })}
        />
      )}
      {form.files.length > 0 && (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Remove the script"
          onClick={() => set({ files: [], script: '', bundle: null })}
        >
          <IconX size={16} />
        </ActionIcon>
      )}
    </Group>
  );
}

interface DataProps {
  form: FormState;
  set: (part: Partial<FormState>) => void;
  setRow: (key: number, part: Partial<DataRow>) => void;
}

function Data({ form, set, setRow }: DataProps) {
  const known = useRoute(routes.datasets.list, { query: { limit: 1000 } });
  const names = known.data?.items.map((one) => one.name) ?? [];
  return (
    <Stack gap="sm">
      {form.data.map((row) => (
        <DataCard
          key={row.key}
          row={row}
          onChange={(part) => setRow(row.key, part)}
          onRemove={() => set({ data: form.data.filter((one) => one.key !== row.key) })}
        />
      ))}
      {names.length > 0 && (
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Select
            aria-label="Add a dataset that is here"
            placeholder="Add a dataset that is here"
            leftSection={<IconDatabasePlus size={16} />}
            data={names}
            value={null}
            searchable
            nothingFoundMessage="No dataset has such a name"
            onChange={(name) => name && set({ data: [...form.data, dataRow({ dataset: name })] })}
          />
        </SimpleGrid>
      )}
    </Stack>
  );
}
