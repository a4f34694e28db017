import { VgpuError } from '@vgpu/core';
import type { Resources } from '../resources.ts';
import type { Principal } from '../systems/principal.ts';
import type { OpenTopic } from './connection.ts';
import { JobTopic } from './job-topic.ts';
import { JobsTopic } from './jobs-topic.ts';
import { LogsTopic } from './logs-topic.ts';
import { TopologyTopic } from './topology-topic.ts';

/** The topics that a principal may follow. */
export function topicsOf(resources: Resources, principal: Principal): OpenTopic {
  const { project } = principal;
  return async (topic, from, sink) => {
    if (topic === 'jobs') return JobsTopic.open(sink, resources, project, from);
    if (topic === 'topology') return new TopologyTopic(sink, resources.topology);
    const [kind, id] = topic.split(':', 2);
    if (kind === 'job' && id) {
      const job = await resources.queries.find(project, id);
      return new JobTopic(sink, resources, topic, project, job.id);
    }
    if (kind === 'logs' && id) {
      const task = await resources.queries.findTask(project, id);
      return new LogsTopic(sink, resources, topic, { project, task: task.id, from: Math.max(0, from ?? 0) });
    }
    throw new VgpuError('BAD_REQUEST', { problem: `there is no topic "${topic.slice(0, 100)}"` });
  };
}
