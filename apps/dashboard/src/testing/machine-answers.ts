import { routes } from '@vgpu/api';
import { type Answers, none } from './answer.ts';
import { topologyOf } from './made-machine.ts';
import { GiB, randomOf, startedAt } from './seed.ts';
import type { World } from './world.ts';

/** Of a pool that nobody set: as the devices' room has it, which the dashboard cannot import. */
const pool = {
  accelerators: [] as string[],
  deviceSplitCount: 10,
  deviceCoreScaling: 1,
  deviceMemoryScaling: 1,
  mps: 'off',
  mpsAcrossProjects: false,
};

/** The machine: its health, what it holds, accelerators and images. */
export const machineAnswers = (world: World): Answers => [
  [
    routes.machine.health,
    () => ({
      status: 'ok',
      version: '0.1.0',
      startedAt,
      findings: [
        { name: 'Engine', level: 'ok', text: 'Docker 29.1.2 answers in 3 ms', advice: null },
        {
          name: 'Disk',
          level: 'warn',
          text: '11 GiB free under /var/lib/vgpu',
          advice: 'Free some space, or move VGPU_HOME.',
        },
        { name: 'Image', level: 'ok', text: 'vgpu/sklearn is built', advice: null },
      ],
    }),
  ],
  [
    routes.machine.capacity,
    () => ({
      cpu: { total: 32_000, used: 10_500 },
      memory: { total: 128 * GiB, used: 24 * GiB },
      gpu: { total: world.accelerators.length * 1000, used: world.accelerators.length * 500 },
      vram: { total: world.accelerators.length * 80 * GiB, used: world.accelerators.length * 32 * GiB },
      workers: { running: 6, warm: 1 },
    }),
  ],
  [routes.machine.topology, () => topologyOf(world)],
  [
    routes.machine.queue,
    () => ({
      items: world.jobs
        .flatMap((job) =>
          job.tasks
            .filter((one) => one.state === 'QUEUED')
            .map((task) => ({
              position: 0,
              task: task.id,
              job: job.id,
              jobName: job.name,
              name: task.name,
              priority: 0,
              submittedAt: task.submittedAt,
              attempts: 0,
              why: task.waiting!.message,
              hint: task.waiting!.hint,
              estimatedStart: task.waiting!.estimatedStart,
            })),
        )
        .map((one, i) => ({ ...one, position: i + 1 })),
    }),
  ],
  [
    routes.accelerators.list,
    () => ({
      items: world.accelerators,
      advice: world.accelerators.length
        ? null
        : 'No accelerator was found. Install the NVIDIA driver (`nvidia-smi` must answer) or an OpenCL runtime, then run `vgpu doctor`.',
    }),
  ],
  [
    routes.accelerators.history,
    ({ params }) => {
      const r = randomOf(params.uuid!.length);
      const n = 360;
      return {
        uuid: params.uuid,
        time: Array.from({ length: n }, (_, i) => Date.now() - (n - i) * 10_000),
        utilisation: Array.from({ length: n }, (_, i) => 50 + 30 * Math.sin(i / 30) + r() * 12),
        memoryUsed: Array.from({ length: n }, (_, i) => (20 + 10 * Math.sin(i / 70)) * GiB),
        temperature: Array.from({ length: n }, (_, i) => 55 + 8 * Math.sin(i / 40) + r()),
        power: Array.from({ length: n }, (_, i) => 300 + 100 * Math.sin(i / 30) + r() * 20),
      };
    },
  ],
  [
    routes.accelerators.pools,
    () => ({
      items: [
        {
          ...pool,
          name: 'default',
          accelerators: world.accelerators.map((one) => one.uuid),
          mps: 'auto',
        },
      ],
    }),
  ],
  [
    routes.accelerators.setPool,
    ({ params, body }) => ({
      ...pool,
      name: params.pool,
      ...(body as object),
    }),
  ],
  [
    routes.accelerators.cordon,
    ({ params, body }) => {
      const one = world.accelerators.find((each) => each.uuid === params.uuid)!;
      const { drain, reason } = body as { drain: boolean; reason?: string };
      const healthReason = `${drain ? 'drained' : 'cordoned'} by admin${reason ? `: ${reason}` : ''}`;
      return Object.assign(one, { health: 'draining', healthReason });
    },
  ],
  [
    routes.accelerators.uncordon,
    ({ params }) => {
      const one = world.accelerators.find((each) => each.uuid === params.uuid)!;
      return Object.assign(one, { health: 'healthy', healthReason: null });
    },
  ],
  [routes.accelerators.removePool, none],
  [
    routes.images.list,
    () => ({
      items: [
        {
          id: 'sha256:c41ab7',
          tags: ['vgpu/sklearn:c41ab7', 'vgpu/sklearn:latest'],
          name: 'sklearn',
          created: startedAt - 864e5,
          bytes: 612_000_000,
          managed: true,
          inUse: 6,
        },
        {
          id: 'sha256:77d0e2',
          tags: ['pytorch/pytorch:2.9-cuda13'],
          name: null,
          created: startedAt - 864e6,
          bytes: 7_912_000_000,
          managed: false,
          inUse: 0,
        },
      ],
    }),
  ],
  [routes.images.remove, none],
];
