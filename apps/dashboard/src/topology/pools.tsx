import { Button, Group, Modal, NumberInput, Stack, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAdjustments } from '@tabler/icons-react';
import { routes } from '@vgpu/api';
import { useState } from 'react';
import { client } from '../server/client.ts';
import { refresh, useRoute } from '../server/use-route.ts';
import { plural } from '../ui/figures.ts';
import { Panel } from '../ui/panel.tsx';
import { TableBox } from '../ui/scroll-box.tsx';
import { Answer } from '../ui/states.tsx';
import { useAct } from '../ui/use-act.ts';

interface Pool {
  name: string;
  accelerators: string[];
  deviceSplitCount: number;
  deviceCoreScaling: number;
  deviceMemoryScaling: number;
}

/** Pools and how far their devices are shared. */
export function Pools() {
  const pools = useRoute(routes.accelerators.pools, {});
  return (
    <Panel title="Pools" flush>
      <Answer query={pools} lines={2}>
        {({ items }) => (
          <TableBox label="Table of pools">
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">Pool</th>
                  <th scope="col">Accelerators</th>
                  <th scope="col" className="right">
                    Slices a device, at most
                  </th>
                  <th scope="col" className="right">
                    Compute over-commit
                  </th>
                  <th scope="col" className="right">
                    Memory over-commit
                  </th>
                  <th scope="col">
                    <VisuallyHidden>Actions</VisuallyHidden>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((pool) => (
                  <tr key={pool.name}>
                    <td style={{ fontWeight: 570 }}>{pool.name}</td>
                    <td>
                      {pool.accelerators.length === 0 ? 'none' : plural(pool.accelerators.length, 'device')}
                    </td>
                    <td className="right">{pool.deviceSplitCount}</td>
                    <td className="right">{pool.deviceCoreScaling} ×</td>
                    <td className="right">{pool.deviceMemoryScaling} ×</td>
                    <td className="right">
                      <EditPool pool={pool} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </TableBox>
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
