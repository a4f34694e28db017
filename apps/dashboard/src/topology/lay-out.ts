import type { Accelerator, Topology } from '@vgpu/api';

type Service = Topology['services'][number];

/** A box of the picture, in pixels. */
export interface Node {
  id: string;
  kind: 'host' | 'accelerator' | 'cpu' | 'slice' | 'worker' | 'warm';
  title: string;
  about: string;
  x: number;
  y: number;
  width: number;
  height: number;
  job: string | null;
  accelerator?: Accelerator;
  service?: Service;
  share?: { milli: number; bytes: number };
}

export interface Link {
  from: Node;
  to: Node;
  job: string | null;
}

const row = 52;
const box = 42;
const gibibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 30)} GiB memory`;

/**
 * Places machine, accelerators, slices and workers in four columns. A worker with slices of two devices stands by the
 * first; one without stands by the CPU.
 */
export function layOut(topology: Topology, width: number): { nodes: Node[]; links: Link[]; height: number } {
  const nodes: Node[] = [];
  const links: Link[] = [];
  const gap = Math.max(28, width * 0.045);
  const wide = (width - 3 * gap) / 4;
  const column = (index: number) => ({ x: index * (wide + gap), width: wide });
  const workers = topology.services.filter((one) => one.kind === 'worker' || one.kind === 'warm');
  const groups = [
    ...topology.accelerators.map((accelerator) => ({
      accelerator: accelerator as Accelerator | null,
      members: [] as Service[],
    })),
    { accelerator: null, members: [] as Service[] },
  ];
  for (const worker of workers) {
    const uuid = worker.slices[0]?.accelerator;
    (groups.find((one) => one.accelerator && one.accelerator.uuid === uuid) ?? groups.at(-1)!).members.push(
      worker,
    );
  }
  const { host } = topology;
  const machine: Node = {
    id: 'host',
    kind: 'host',
    title: host.name,
    job: null,
    ...column(0),
    y: 0,
    height: 62,
    about: `${host.cpus} cores, ${gibibytes(host.memory)}`,
  };
  nodes.push(machine);
  let y = 0;
  for (const { accelerator, members } of groups) {
    const rows = Math.max(1, members.length);
    const device: Node = {
      id: accelerator?.uuid ?? 'cpu',
      kind: accelerator ? 'accelerator' : 'cpu',
      title: 'CPU',
      job: null,
      about: members.length === 0 ? 'no worker runs on it alone' : `${members.length} without an accelerator`,
      ...column(1),
      height: 54,
      y: y + (rows * row - 54) / 2,
      ...(accelerator ? { accelerator } : {}),
    };
    nodes.push(device);
    links.push({ from: machine, to: device, job: null });
    members.forEach((service, i) => {
      const top = y + i * row + (row - box) / 2;
      const worker: Node = {
        id: `worker ${service.task ?? service.name}`,
        kind: service.kind === 'warm' ? 'warm' : 'worker',
        title: service.name,
        about: '',
        ...column(3),
        y: top,
        height: box,
        job: service.job,
        service,
      };
      nodes.push(worker);
      const slice = service.slices.find((one) => one.accelerator === accelerator?.uuid);
      if (!slice) {
        links.push({ from: device, to: worker, job: service.job });
        return;
      }
      const share: Node = {
        id: `slice ${accelerator?.uuid} ${service.task ?? service.name}`,
        kind: 'slice',
        title: '',
        about: '',
        ...column(2),
        y: top + 6,
        height: box - 12,
        job: service.job,
        share: slice,
      };
      nodes.push(share);
      links.push(
        { from: device, to: share, job: service.job },
        { from: share, to: worker, job: service.job },
      );
    });
    y += rows * row + 12;
  }
  machine.y = Math.max(0, (y - 12 - machine.height) / 2);
  return { nodes, links, height: Math.max(machine.height, y - 12) };
}
