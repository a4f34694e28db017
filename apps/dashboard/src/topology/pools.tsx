import { routes } from '@vgpu/api';
import { useRoute } from '../server/use-route.ts';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { plural } from '../ui/figures.ts';
import { Panel } from '../ui/panel.tsx';
import { Answer } from '../ui/states.tsx';
import { EditPool, type Pool } from './edit-pool.tsx';

const columns: readonly Column<Pool>[] = [
  { title: 'Pool', style: { fontWeight: 570 }, cell: (pool) => pool.name },
  {
    title: 'Accelerators',
    cell: (pool) => (pool.accelerators.length === 0 ? 'none' : plural(pool.accelerators.length, 'device')),
  },
  { title: 'Slices a device, at most', right: true, cell: (pool) => pool.deviceSplitCount },
  { title: 'Compute over-commit', right: true, cell: (pool) => <>{pool.deviceCoreScaling} ×</> },
  { title: 'Memory over-commit', right: true, cell: (pool) => <>{pool.deviceMemoryScaling} ×</> },
  {
    title: 'MPS',
    cell: (pool) =>
      pool.mps === 'off' ? 'off' : `${pool.mps}${pool.mpsAcrossProjects ? ', projects share' : ''}`,
  },
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
