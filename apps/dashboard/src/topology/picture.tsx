import { Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import type { Topology } from '@vgpu/api';
import { colourOf } from '../charts/colours.ts';
import { bytes, milli } from '../ui/figures.ts';
import { ScrollBox } from '../ui/scroll-box.tsx';
import { layOut, type Node } from './lay-out.ts';
import classes from './picture.module.css';

const curve = (from: Node, to: Node): string => {
  const x1 = from.x + from.width;
  const y1 = from.y + from.height / 2;
  const y2 = to.y + to.height / 2;
  const bend = (to.x - x1) / 2;
  return `M${x1},${y1} C${x1 + bend},${y1} ${to.x - bend},${y2} ${to.x},${y2}`;
};

/** Machine → accelerators → slices → workers, as boxes and lines. */
export function Picture({ topology, names }: { topology: Topology; names: ReadonlyMap<string, string> }) {
  const { ref, width: outer } = useElementSize();
  const width = outer - 34; // without the spacing of the area
  const { nodes, links, height } = layOut(topology, Math.max(760, width));
  const jobs = [...new Set(topology.services.map((one) => one.job).filter((one) => one !== null))].sort();
  const colour = (job: string | null) => (job ? colourOf(jobs.indexOf(job)) : 'var(--vg-border)');
  return (
    <ScrollBox ref={ref} className={classes.area} label="Machine, accelerators, slices and workers">
      <div style={{ position: 'relative', width: Math.max(760, width), height }}>
        <svg width="100%" height={height} className={classes.lines} aria-hidden>
          {links.map(({ from, to, job }) => (
            <path
              key={`${from.id} ${to.id}`}
              d={curve(from, to)}
              fill="none"
              stroke={colour(job)}
              strokeWidth={job ? 2 : 1.5}
              opacity={job ? 0.85 : 1}
            />
          ))}
        </svg>
        {nodes.map((node) => (
          <div
            key={node.id}
            className={classes.node}
            data-kind={node.kind}
            style={{
              left: node.x,
              top: node.y,
              width: node.width,
              height: node.height,
              borderLeftColor: node.job ? colour(node.job) : undefined,
            }}
          >
            <Inner node={node} names={names} />
          </div>
        ))}
      </div>
    </ScrollBox>
  );
}

function Inner({ node, names }: { node: Node; names: ReadonlyMap<string, string> }) {
  const { service, accelerator, share } = node;
  if (node.kind === 'host') {
    return (
      <>
        <Text size="sm" fw={620} className="ellipsis">
          {node.title}
        </Text>
        <Text size="xs" c="dimmed">
          {node.about}
        </Text>
      </>
    );
  }
  if (accelerator) {
    return (
      <>
        <Text size="sm" fw={570} className="ellipsis" title={accelerator.model}>
          {accelerator.model}
        </Text>
        <Text size="xs" c="dimmed" className="ellipsis num">
          {milli(accelerator.allocatedMilli, 'GPU')} given, {bytes(accelerator.allocatedBytes)} of{' '}
          {bytes(accelerator.memory)}
        </Text>
      </>
    );
  }
  if (share) {
    return (
      <Text size="xs" className="num ellipsis">
        {milli(share.milli, 'GPU')} · {bytes(share.bytes)}
      </Text>
    );
  }
  if (service) {
    const job = service.job ? (names.get(service.job) ?? service.job) : 'ready for the next task';
    return (
      <>
        <Text size="xs" fw={570} className="ellipsis">
          {service.job ? (
            <Link to="/jobs/$job" params={{ job: service.job }} className="plain">
              {service.name}
            </Link>
          ) : (
            service.name
          )}
        </Text>
        <Text size="xs" c="dimmed" className="ellipsis">
          {job}
        </Text>
      </>
    );
  }
  return (
    <>
      <Text size="sm" fw={570}>
        {node.title}
      </Text>
      <Text size="xs" c="dimmed" className="ellipsis">
        {node.about}
      </Text>
    </>
  );
}
