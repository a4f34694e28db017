import { Button, Group, Modal, NumberInput, Select, Stack, Switch, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAdjustments } from '@tabler/icons-react';
import { type RouteOutput, routes } from '@vgpu/api';
import { useState } from 'react';
import { client } from '../server/client.ts';
import { refresh } from '../server/use-route.ts';
import { useAct } from '../ui/use-act.ts';

export type Pool = RouteOutput<typeof routes.accelerators.pools>['items'][number];

const mpsModes: readonly { value: Pool['mps']; label: string }[] = [
  { value: 'off', label: 'Off: slices take turns' },
  { value: 'auto', label: 'Where a device can, else turns' },
  { value: 'required', label: 'Always, else the task fails and says why' },
];

/** A button that opens the settings of a pool. */
export function EditPool({ pool }: { pool: Pool }) {
  const [opened, form] = useDisclosure(false);
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconAdjustments size={14} />}
        onClick={form.open}
        aria-label={`Change pool ${pool.name}`}
      >
        Change
      </Button>
      <Modal opened={opened} onClose={form.close} title={`Pool ${pool.name}`}>
        <Settings pool={pool} onDone={form.close} />
      </Modal>
    </>
  );
}

function Settings({ pool, onDone }: { pool: Pool; onDone: () => void }) {
  const [split, setSplit] = useState<number | string>(pool.deviceSplitCount);
  const [core, setCore] = useState<number | string>(pool.deviceCoreScaling);
  const [memory, setMemory] = useState<number | string>(pool.deviceMemoryScaling);
  const [mps, setMps] = useState<Pool['mps']>(pool.mps);
  const [across, setAcross] = useState(pool.mpsAcrossProjects);
  const { act, busy } = useAct();
  const save = () =>
    act(async () => {
      await client.call(routes.accelerators.setPool, {
        params: { pool: pool.name },
        body: {
          deviceSplitCount: Number(split),
          deviceCoreScaling: Number(core),
          deviceMemoryScaling: Number(memory),
          mps,
          mpsAcrossProjects: across,
        },
      });
      await refresh(routes.accelerators.pools, routes.accelerators.list);
    }, `Pool ${pool.name} is changed.`).then((well) => well && onDone());
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        Running tasks keep what they have; what starts later follows the new settings.
      </Text>
      <NumberInput label="Slices a device, at most" min={1} max={1000} value={split} onChange={setSplit} />
      <NumberInput
        label="Compute over-commit"
        description="2 gives each device twice"
        min={1}
        max={100}
        step={0.1}
        value={core}
        onChange={setCore}
      />
      <NumberInput
        label="Memory over-commit"
        min={1}
        max={100}
        step={0.1}
        value={memory}
        onChange={setMemory}
      />
      <Select
        label="Slices at the same time (NVIDIA MPS)"
        data={mpsModes}
        value={mps}
        onChange={(value) => value && setMps(value as Pool['mps'])}
        allowDeselect={false}
      />
      {mps !== 'off' && (
        <Switch
          label="Projects may share one MPS server"
          description="a fault in one client can end the others"
          checked={across}
          onChange={(event) => setAcross(event.currentTarget.checked)}
        />
      )}
      <Group justify="flex-end">
        <Button loading={busy} onClick={save}>
          Save
        </Button>
      </Group>
    </Stack>
  );
}
