import { Button, Group, Modal, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAdjustments } from '@tabler/icons-react';
import { routes } from '@vgpu/api';
import { useState } from 'react';
import { client } from '../server/client.ts';
import { refresh, useRoute } from '../server/use-route.ts';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { plural } from '../ui/figures.ts';
import { Panel } from '../ui/panel.tsx';
import { Answer } from '../ui/states.tsx';
import { useAct } from '../ui/use-act.ts';

interface Pool {
  name: string;
  accelerators: string[];
  deviceSplitCount: number;
  deviceCoreScaling: number;
  deviceMemoryScaling: number;
}

const columns: readonly Column<Pool>[] = [
  { title: 'Pool', style: { fontWeight: 570 }, cell: (pool) => pool.name },
  {
    title: 'Accelerators',
    cell: (pool) => (pool.accelerators.length === 0 ? 'none' : plural(pool.accelerators.length, 'device')),
  },
  { title: 'Slices a device, at most', right: true, cell: (pool) => pool.deviceSplitCount },
  { title: 'Compute over-commit', right: true, cell: (pool) => <>{pool.deviceCoreScaling} ×</> },
  { title: 'Memory over-commit', right: true, cell: (pool) => <>{pool.deviceMemoryScaling} ×</> },
  { title: 'Actions', right: true, quiet: true, cell: (pool) => <EditPool pool={pool} /> },
];

/** Pools and how far their devices are shared. */
export function Pools() {
  const pools = useRoute(routes.accelerators.pools, {});
  return (
    <Panel title="Pools" flush>
      <Answer query={pools} lines={2}>
        {({ items }) => (
          <DataTable label="Table of pools" columns={columns} rows={items} keyOf={(pool) => pool.name} />
        )}
      </Answer>
    </Panel>
  );
}

function EditPool({ pool }: { pool: Pool }) {
  const [opened, form] = useDisclosure(false);
  const [split, setSplit] = useState<number | string>(pool.deviceSplitCount);
  const [core, setCore] = useState<number | string>(pool.deviceCoreScaling);
  const [memory, setMemory] = useState<number | string>(pool.deviceMemoryScaling);
  const { act, busy } = useAct();
  const save = () =>
    act(async () => {
      await client.call(routes.accelerators.setPool, {
        params: { pool: pool.name },
        body: {
          deviceSplitCount: Number(split),
          deviceCoreScaling: Number(core),
          deviceMemoryScaling: Number(memory),
        },
      });
      await refresh(routes.accelerators.pools);
    }, `Pool ${pool.name} is changed.`).then((well) => well && form.close());
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
        <Stack>
          <Text size="sm" c="dimmed">
            Running tasks keep what they have; what starts later follows the new settings.
          </Text>
          <TextInput label="Name" value={pool.name} disabled />
          <NumberInput
            label="Slices a device, at most"
            min={1}
            max={1000}
            value={split}
            onChange={setSplit}
          />
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
          <Group justify="flex-end">
            <Button loading={busy} onClick={save}>
              Save
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
