import {
  Accordion,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Slider,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { routes } from '@vgpu/api';
import { parseBytes, parseDuration } from '@vgpu/core';
import { useRoute } from '../server/use-route.ts';
import { bytes, cores } from '../ui/figures.ts';
import type { FormState } from './form-state.ts';
import { SecretsField } from './secrets-field.tsx';

interface ResourcesFormProps {
  form: FormState;
  set: (part: Partial<FormState>) => void;
}

/** Why a text is no size or no duration; undefined when it is one. */
export function problemOf(parse: (text: string) => number, text: string): string | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return (error as { hint?: string }).hint ?? String(error);
  }
}

/** What each worker gets. */
export function ResourcesForm({ form, set }: ResourcesFormProps) {
  const capacity = useRoute(routes.machine.capacity, {});
  const images = useRoute(routes.images.list, {});
  const has = capacity.data;
  const names = [
    ...new Set([
      ...(images.data?.items.map((one) => one.name ?? one.tags[0]).filter((one) => one !== undefined) ?? []),
      form.image,
    ]),
  ];
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <NumberInput
          label="CPU cores"
          description={has ? `${cores(has.cpu.total - has.cpu.used)} free of ${cores(has.cpu.total)}` : ' '}
          value={form.cpu}
          min={0.1}
          step={0.5}
          decimalScale={3}
          onChange={(value) => set({ cpu: Number(value) || 0 })}
        />
        <TextInput
          label="Memory"
          description={
            has ? `${bytes(has.memory.total - has.memory.used)} free of ${bytes(has.memory.total)}` : ' '
          }
          value={form.memory}
          error={problemOf(parseBytes, form.memory)}
          onChange={(event) => set({ memory: event.currentTarget.value })}
        />
      </SimpleGrid>
      {has && has.gpu.total > 0 && (
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <div>
            <Text size="sm" fw={500}>
              GPU share: {form.gpu === 0 ? 'none' : `${form.gpu} GPU`}
            </Text>
            <Slider
              mt="sm"
              mb="lg"
              min={0}
              max={Math.max(1, has.gpu.total / 1000)}
              step={0.05}
              value={form.gpu}
              onChange={(gpu) => set({ gpu: Math.round(gpu * 100) / 100 })}
              thumbLabel="GPU share"
              label={(value) => `${value.toFixed(2)} GPU`}
              marks={[{ value: 0.25 }, { value: 0.5 }, { value: 1, label: '1' }]}
            />
          </div>
          <TextInput
            label="GPU memory"
            description="Empty: by the share of compute"
            placeholder="8 GiB"
            value={form.vram}
            error={form.vram.trim() ? problemOf(parseBytes, form.vram) : undefined}
            onChange={(event) => set({ vram: event.currentTarget.value })}
          />
        </SimpleGrid>
      )}
      <Select
        label="Image"
        data={names}
        value={form.image}
        allowDeselect={false}
        onChange={(image) => set({ image: image ?? 'sklearn' })}
      />
      <Accordion
        variant="default"
        chevronPosition="left"
        styles={{
          label: { paddingBlock: 8 },
          control: { paddingInline: 0 },
          item: { borderBottom: 0 },
          content: { paddingInline: 0 },
        }}
      >
        <Accordion.Item value="more">
          <Accordion.Control>
            <Text size="sm" fw={550}>
              Limits, metrics, priority, environment, secrets
            </Text>
          </Accordion.Control>
          <Accordion.Panel>
            <More form={form} set={set} />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Stack>
  );
}

function More({ form, set }: ResourcesFormProps) {
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label="Longest run"
          description="Like 90m or 2h"
          value={form.time}
          error={problemOf(parseDuration, form.time)}
          onChange={(event) => set({ time: event.currentTarget.value })}
        />
        <NumberInput
          label="Retries"
          description="After a failure"
          min={0}
          max={100}
          value={form.retries}
          onChange={(value) => set({ retries: Number(value) || 0 })}
        />
        <TextInput
          label="Metric that decides"
          description="Empty: the first score"
          placeholder="val_f1"
          value={form.primary}
          onChange={(event) => set({ primary: event.currentTarget.value })}
        />
        <Select
          label="Better is"
          description="Known scores know it themselves"
          data={[
            { value: '', label: 'By the metric' },
            { value: 'maximize', label: 'Higher' },
            { value: 'minimize', label: 'Lower' },
          ]}
          value={form.goal}
          allowDeselect={false}
          onChange={(value) => set({ goal: (value ?? '') as FormState['goal'] })}
        />
        <Select
          label="QoS class"
          data={[
            { value: 'guaranteed', label: 'Guaranteed: bounds hold' },
            { value: 'burstable', label: 'Burstable: guarantee plus idle share' },
            { value: 'best-effort', label: 'Best effort: idle share only' },
          ]}
          value={form.qos}
          allowDeselect={false}
          onChange={(value) => set({ qos: value as FormState['qos'] })}
        />
        <Select
          label="Isolation"
          data={[
            { value: 'any', label: 'Any' },
            { value: 'soft', label: 'Soft: limiter' },
            { value: 'hard', label: 'Hard: by the device itself' },
          ]}
          value={form.isolation}
          allowDeselect={false}
          onChange={(value) => set({ isolation: value as FormState['isolation'] })}
        />
        <NumberInput
          label="Priority"
          description="−1000 to 1000; higher starts first"
          min={-1000}
          max={1000}
          value={form.priority}
          onChange={(value) => set({ priority: Number(value) || 0 })}
        />
        <Select
          label="Network"
          data={[
            { value: 'none', label: 'None' },
            { value: 'egress', label: 'Egress, where the project allows it' },
          ]}
          value={form.network}
          allowDeselect={false}
          onChange={(value) => set({ network: value as FormState['network'] })}
        />
      </SimpleGrid>
      <Group grow>
        <Textarea
          label="Environment"
          description="One NAME=value a line"
          autosize
          minRows={2}
          maxRows={8}
          value={form.env}
          onChange={(event) => set({ env: event.currentTarget.value })}
        />
      </Group>
      <SecretsField uses={form.secrets} set={(secrets) => set({ secrets })} />
    </Stack>
  );
}
