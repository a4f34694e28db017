import type { Project, routes } from '@vgpu/api';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';
import { mayDo } from '../systems/principal.ts';

export function projectRoutes({ projects, scheduling }: Resources): Handlers<typeof routes.projects> {
  const usage = (name: string): Pick<Project, 'used' | 'running' | 'waiting'> => {
    const held = scheduling.held().filter((task) => task.project === name);
    const used = { gpu: 0, cpu: 0, memory: 0 };
    for (const task of held) {
      for (const share of task.accelerators) used.gpu += share.milli;
      used.cpu += task.cpuMilli;
      used.memory += task.memoryBytes;
    }
    return { used, running: held.length, waiting: scheduling.waitingOf(name) };
  };
  return {
    list: async ({ principal }) => {
      const all = await projects.list();
      const admin = mayDo(principal, 'admin');
      const seen = all.filter((one) => admin || one.name === principal.project);
      return { items: seen.map((one) => ({ ...one, ...usage(one.name) })) };
    },
    set: async ({ params, body }) => {
      const changed = await projects.set(params.project, body);
      scheduling.wake();
      return { ...changed, ...usage(changed.name) };
    },
  };
}
