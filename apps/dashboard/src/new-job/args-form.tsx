import {
  ActionIcon,
  Alert,
  Button,
  Checkbox,
  Group,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { routes } from '@vgpu/api';
import { useState } from 'react';
import { useRoute } from '../server/use-route.ts';
import type { FormState } from './form-state.ts';

interface ArgsFormProps {
  form: FormState;
  set: (part: Partial<FormState>) => void;
}

/** The script's own options, as its argparse declares them; and any others by name. */
export function ArgsForm({ form, set }: ArgsFormProps) {
  const [extra, setExtra] = useState('');
  const declared = useRoute(
    routes.bundles.form,
    { params: { hash: form.bundle ?? '' }, query: { script: form.script } },
    { enabled: form.bundle !== null && form.script !== '', staleTime: Number.POSITIVE_INFINITY },
  );
  // What comes by position is the dataset's path, which vgpu gives.
  const items = (declared.data?.items ?? []).filter((one) => one.flag.startsWith('-'));
  const known = new Set(items.map((one) => one.name));
  const others = Object.keys(form.args).filter((name) => !known.has(name));
  const put = (name: string, value: string | boolean | null) => {
    const args = { ...form.args };
    if (value === null) delete args[name];
    else args[name] = value;
    set({ args });
  };
  if (form.argList) {
    return (
      <Alert variant="light" title="Arguments as a list">
        <Text size="sm" className="mono" c="var(--mantine-color-text)">
          {form.argList.map(String).join(' ')}
        </Text>
        <Button mt="xs" size="compact-xs" variant="default" onClick={() => set({ argList: null })}>
          Write them anew
        </Button>
      </Alert>
    );
  }
  const add = () => {
    const name = extra.trim().replace(/^-+/, '');
    if (name) put(name, '');
    setExtra('');
  };
  return (
    <Stack gap="sm">
      {items.length > 0 && (
        <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }}>
          {items.map((one) => {
            const value = form.args[one.name];
            const common = {
              label: one.flag,
              description: one.help ?? undefined,
              required: one.required,
              withAsterisk: one.required,
            };
            if (one.type === 'boolean') {
              return (
                <Checkbox
                  key={one.name}
                  label={one.flag}
                  description={one.help}
                  checked={value === true || (value === undefined && one.default === true)}
                  onChange={(event) =>
                    put(
                      one.name,
                      event.currentTarget.checked === (one.default === true)
                        ? null
                        : event.currentTarget.checked,
                    )
                  }
                />
              );
            }
            if (one.type === 'choice') {
              return (
                <Select
                  key={one.name}
                  {...common}
                  data={one.choices ?? []}
                  placeholder={one.default === null ? undefined : String(one.default)}
                  value={typeof value === 'string' ? value || null : null}
                  onChange={(next) => put(one.name, next)}
                  clearable
                  clearButtonProps={{ 'aria-label': `Clear ${one.flag}` }}
                />
              );
            }
            return (
              <TextInput
                key={one.name}
                {...common}
                inputMode={one.type === 'string' ? 'text' : 'decimal'}
                placeholder={one.default === null ? undefined : String(one.default)}
                value={typeof value === 'string' ? value : ''}
                error={wrong(one.type, value)}
                onChange={(event) => put(one.name, event.currentTarget.value || null)}
              />
            );
          })}
        </SimpleGrid>
      )}
      {others.map((name) => (
        <Group key={name} gap="xs" align="flex-end">
          <TextInput
            label={`--${name}`}
            style={{ flex: 1, maxWidth: 320 }}
            value={String(form.args[name])}
            onChange={(event) => put(name, event.currentTarget.value)}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            mb={4}
            aria-label={`Remove --${name}`}
            onClick={() => put(name, null)}
          >
            <IconX size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Group gap="xs" align="flex-end">
        <TextInput
          label={items.length > 0 ? 'Another argument' : 'Argument'}
          description={
            items.length === 0 && form.bundle
              ? 'The script declares no options by argparse; name any here.'
              : undefined
          }
          placeholder="lr"
          w={220}
          value={extra}
          onChange={(event) => setExtra(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            add();
          }}
        />
        <Button variant="default" leftSection={<IconPlus size={15} />} onClick={add} disabled={!extra.trim()}>
          Add
        </Button>
      </Group>
    </Stack>
  );
}

function wrong(type: string, value: string | boolean | undefined): string | undefined {
  if (typeof value !== 'string' || value === '' || type === 'string') return undefined;
  if (!Number.isFinite(Number(value))) return 'A number is wanted';
  return type === 'integer' && !Number.isInteger(Number(value)) ? 'A whole number is wanted' : undefined;
}
