import { nodeMismatch } from '../eligible.ts';
import type { Pending } from '../pending.ts';
import { isHopeless, type WaitCode } from '../reasons.ts';
import type { NodeView } from '../view.ts';
import { fitOn } from './fit.ts';

export interface Explanation {
  readonly code: WaitCode;
  readonly message: string;
  readonly unblock: string;
}

function amount(milli: number): string {
  return String(Number((milli / 1000).toFixed(3)));
}

function gib(bytes: number): string {
  return `${Number((bytes / 1024 ** 3).toFixed(2))} GiB`;
}

function asked(task: Pending): string {
  const parts = [`${amount(task.cpuMilli)} CPU`, gib(task.memoryBytes)];
  if (task.gpuCount > 0) {
    const models = task.models?.length ? ` ${task.models.join(' or ')}` : ' GPU';
    const vram = task.vramBytes ? ` with ${gib(task.vramBytes)}` : '';
    parts.unshift(`${task.gpuCount} × ${amount(task.gpuMilli)}${models}${vram}`);
  }
  return parts.join(', ');
}

/** The most that one node has of each, or would have if it were empty. */
function largest(nodes: readonly NodeView[]): string {
  const most = (of: (node: NodeView) => number) => Math.max(0, ...nodes.map(of));
  return `${amount(most((node) => node.cpuMilli))} CPU, ${gib(most((node) => node.memoryBytes))}`;
}

/** What is short, in words, and what would help. */
function words(
  code: WaitCode,
  task: Pending,
  nodes: readonly NodeView[],
): { short: string; unblock: string } {
  switch (code) {
    case 'no-nodes':
      return { short: 'there is no node', unblock: 'Add a node, or bring one back.' };
    case 'no-model':
      return {
        short: 'no suitable accelerator',
        unblock: 'Name other models, ask for no GPU, or add such a device.',
      };
    case 'no-mode':
      return {
        short: 'devices are not shared that way',
        unblock: 'Ask for another mode, a whole device, or change the pool.',
      };
    case 'no-isolation':
      return {
        short: `isolation is not ${task.isolation}`,
        unblock: 'Ask for isolation: any, or for a whole device.',
      };
    case 'no-labels':
      return {
        short: 'labels or taints rule it out',
        unblock: 'Change the node selector or add a toleration.',
      };
    case 'too-large':
      return {
        short: `too small even when empty${nodes.length === 1 ? `, with ${largest(nodes)}` : ''}`,
        unblock: `Ask for less than what ${nodes.length === 1 ? 'it' : 'the largest node'} has (${largest(nodes)}), or add a larger node.`,
      };
    case 'unhealthy':
      return { short: 'not healthy or closed to new work', unblock: 'Repair or reopen the node or device.' };
    case 'cpu':
      return {
        short: 'not enough free CPU',
        unblock: `Free ${amount(task.cpuMilli)} CPU on one node, or ask for less.`,
      };
    case 'memory':
      return {
        short: 'not enough free memory',
        unblock: `Free ${gib(task.memoryBytes)} on one node, or ask for less.`,
      };
    case 'gpu':
      return {
        short: 'not enough free GPU',
        unblock: `It starts when ${task.gpuCount} × ${amount(task.gpuMilli)} GPU is free on one node; a smaller fraction may start earlier.`,
      };
    case 'vram':
      return {
        short: 'not enough free GPU memory',
        unblock: `Free ${gib(task.vramBytes ?? 0)} on one device, or ask for less.`,
      };
    case 'slots':
      return {
        short: 'devices carry as many tasks as they may',
        unblock: 'Wait for one to end, or raise deviceSplitCount.',
      };
    case 'project':
      return {
        short: 'another project’s tasks run there under MPS',
        unblock:
          'Wait for them to end, or let projects share MPS (`vgpu gpu pool set … --mps-projects share`).',
      };
    case 'profile':
      return {
        short: 'no instance of a fitting profile',
        unblock: 'It starts when enough neighbouring slices of one device are free.',
      };
    case 'topology':
      return {
        short: `devices are not joined by ${task.topology}`,
        unblock: 'Drop the topology, or wait for joined devices.',
      };
    case 'quota':
    case 'limit':
    case 'gang':
    case 'reserved':
    case 'preempting':
    case 'repartitioning':
    case 'budget':
    case 'already-running':
      return {
        short: 'kept for work ahead of it',
        unblock:
          'It starts after the work ahead of it, or give an expected duration so that it can fill gaps.',
      };
  }
}

/** Why the task starts on none of the nodes now. Counts nodes by what each of them lacks. */
export function explain(task: Pending, nodes: readonly NodeView[], recut: boolean): Explanation {
  if (nodes.length === 0) {
    const { unblock } = words('no-nodes', task, nodes);
    return { code: 'no-nodes', message: 'There is no node to run on.', unblock };
  }
  const counts = new Map<WaitCode, number>();
  for (const node of nodes) {
    const fit = nodeMismatch(task, node) ?? fitOn(task, node, { recut });
    const code = typeof fit === 'string' ? fit : 'reserved';
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  // What time can cure comes first: it is what the task waits for.
  const reasons = [...counts].sort(
    (a, b) => Number(isHopeless(a[0])) - Number(isHopeless(b[0])) || b[1] - a[1] || (a[0] < b[0] ? -1 : 1),
  );
  const [code] = reasons[0]!;
  const one = nodes.length === 1;
  const list = reasons.map(([c, n]) => `${words(c, task, nodes).short}${one ? '' : ` (${n})`}`).join(', ');
  const who = one ? 'The only node cannot take' : `None of ${nodes.length} nodes can take`;
  const when = reasons.every(([c]) => isHopeless(c)) ? '' : ' now';
  return {
    code,
    message: `${who} ${asked(task)}${when}: ${list}.`,
    unblock: words(code, task, nodes).unblock,
  };
}
