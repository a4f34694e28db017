import type { routes } from '@vgpu/api';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';

export function machineRoutes(resources: Resources): Handlers<typeof routes.machine> {
  const { health, scheduling, topology, engine, devices, execution, store } = resources;
  return {
    health: () => health.look(),
    capacity: async () => {
      const [node] = scheduling.view().nodes;
      const gpu = { total: 0, used: 0 };
      const vram = { total: 0, used: 0 };
      for (const device of devices.view()) {
        gpu.total += device.milli;
        gpu.used += device.milli - device.freeMilli;
        vram.total += device.vramBytes;
        vram.used += device.vramBytes - device.freeVramBytes;
      }
      return {
        cpu: { total: node!.cpuMilli, used: node!.cpuMilli - node!.freeCpuMilli },
        memory: { total: node!.memoryBytes, used: node!.memoryBytes - node!.freeMemoryBytes },
        gpu,
        vram,
        workers: { running: execution.active().length, warm: engine.warm()?.ready ?? 0 },
      };
    },
    topology: () => topology.look(),
    queue: async ({ principal }) => {
      const waiting = scheduling.queue().filter(({ task }) => task.project === principal.project);
      const ids = waiting.map(({ task }) => task.taskId);
      const rows = new Map<string, { name: string; attempts: number; jobName: string }>();
      for (let at = 0; at < ids.length; at += 1000) {
        const found = await store.read
          .selectFrom('tasks')
          .innerJoin('jobs', 'jobs.id', 'tasks.job')
          .select(['tasks.id', 'tasks.name', 'tasks.attempts', 'jobs.name as jobName'])
          .where('tasks.id', 'in', ids.slice(at, at + 1000))
          .execute();
        for (const row of found) rows.set(row.id, row);
      }
      return {
        items: waiting.flatMap(({ task, waiting: why }) => {
          const row = rows.get(task.taskId);
          if (!row) return [];
          return {
            position: why.position,
            task: task.taskId,
            job: task.jobId,
            jobName: row.jobName,
            name: row.name,
            priority: task.priority ?? 0,
            submittedAt: Math.floor(task.submittedAt),
            attempts: row.attempts,
            why: why.message,
            hint: why.hint,
            estimatedStart: why.estimatedStart,
          };
        }),
      };
    },
  };
}
