import { Group, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconAlertTriangle, IconCircleCheck, IconHourglass } from '@tabler/icons-react';
import { routes } from '@vgpu/api';
import { useRoute } from '../server/use-route.ts';
import { errorText } from '../ui/error-text.ts';
import { plural } from '../ui/figures.ts';
import { Loading } from '../ui/states.tsx';
import { When } from '../ui/when.tsx';
import type { FormState } from './form-state.ts';
import { specOf } from './spec-of.ts';

/** Where and when each task would start, as the form stands. */
export function Placement({ form }: { form: FormState }) {
  // Files are not imported yet: for placing a task only their number counts.
  const { data, ...rest } = specOf(form, []) as { data?: { dataset: string }[] };
  const known = form.data.every((row) => row.dataset !== null);
  const spec = known ? { ...rest, ...(data ? { data } : {}) } : rest;
  const [body] = useDebouncedValue(
    JSON.stringify({ spec, ...(form.bundle ? { bundle: form.bundle } : {}) }),
    350,
  );
  const preview = useRoute(
    routes.jobs.preview,
    { body: JSON.parse(body) as { spec: Record<string, unknown> } },
    { enabled: form.script !== '', every: 5000, keep: true },
  );
  if (!form.script) {
    return (
      <Text size="sm" c="dimmed">
        Drop a script to see where and when it would start.
      </Text>
    );
  }
  if (preview.error) {
    const { title, hint } = errorText(preview.error);
    return (
      <Group gap={8} wrap="nowrap" align="flex-start" role="alert">
        <IconAlertTriangle size={18} color="var(--vg-failed)" style={{ flexShrink: 0 }} aria-hidden />
        <div>
          <Text size="sm">{title}</Text>
          {hint && (
            <Text size="xs" c="dimmed">
              {hint}
            </Text>
          )}
        </div>
      </Group>
    );
  }
  if (!preview.data) return <Loading lines={2} />;
  const { tasks, warnings } = preview.data;
  const one = tasks[0];
  const count = known ? tasks.length : form.data.length;
  return (
    <Stack gap={10}>
      <Text size="sm" fw={550}>
        {plural(count, 'worker')}
      </Text>
      {(known ? tasks.slice(0, 8) : tasks.slice(0, 1)).map((task) => {
        const Icon = task.node ? IconCircleCheck : IconHourglass;
        return (
          <Group key={task.name} gap={8} wrap="nowrap" align="flex-start">
            <Icon
              size={17}
              color={task.node ? 'var(--vg-completed)' : 'var(--vg-queued)'}
              style={{ flexShrink: 0, marginTop: 1 }}
              aria-hidden
            />
            <Text size="sm">
              {known && `${task.name}: `}
              {task.node ? (
                <>
                  starts at once on {task.node}
                  {task.accelerators.length > 0 && `, ${task.accelerators.join(', ')}`}
                </>
              ) : (
                <>
                  waits: {task.waiting?.message ?? 'for free capacity'}
                  {task.startsAt !== null && (
                    <>
                      ; expected <When at={task.startsAt} />
                    </>
                  )}
                </>
              )}
            </Text>
          </Group>
        );
      })}
      {!known && one && count > 1 && (
        <Text size="xs" c="dimmed">
          For each of the {count} in turn, as far as there is room.
        </Text>
      )}
      {known && tasks.length > 8 && (
        <Text size="xs" c="dimmed">
          and {tasks.length - 8} more
        </Text>
      )}
      {warnings.map((text) => (
        <Text key={text} size="xs" c="var(--vg-queued)">
          {text}
        </Text>
      ))}
    </Stack>
  );
}
