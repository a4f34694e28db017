import { Checkbox, Text } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { JobSummary } from '@vgpu/api';
import { Elapsed } from '../ui/elapsed.tsx';
import { metricTitle, resourcesText, score } from '../ui/figures.ts';
import { TableBox } from '../ui/scroll-box.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { When } from '../ui/when.tsx';
import { TaskBar } from './task-bar.tsx';

export type SortKey = 'submittedAt' | 'name' | 'state' | 'endedAt' | 'priority';
export interface Sorting {
  sort: SortKey;
  order: 'asc' | 'desc';
  onSort: (key: SortKey) => void;
}
export interface Picking {
  picked: ReadonlySet<string>;
  toggle: (ids: readonly string[], on: boolean) => void;
}

interface JobTableProps {
  jobs: readonly JobSummary[];
  sorting?: Sorting;
  picking?: Picking;
  /** Fewer columns, for a panel. */
  brief?: boolean;
  label?: string;
}

/** How many of its tasks are in which state, in words. */
export function taskCounts(job: JobSummary): string {
  const { COMPLETED = 0, FAILED = 0, RUNNING = 0, QUEUED = 0, CANCELLED = 0 } = job.counts;
  const parts = [
    RUNNING && `${RUNNING} running`,
    COMPLETED && `${COMPLETED} completed`,
    FAILED && `${FAILED} failed`,
    QUEUED && `${QUEUED} queued`,
    CANCELLED && `${CANCELLED} cancelled`,
  ];
  return parts.filter(Boolean).join(', ') || `${job.tasksTotal}`;
}

function Head({ title, by, sorting }: { title: string; by: SortKey; sorting?: Sorting }) {
  if (!sorting) return <th scope="col">{title}</th>;
  const active = sorting.sort === by;
  const Icon = sorting.order === 'asc' ? IconArrowUp : IconArrowDown;
  return (
    <th scope="col" aria-sort={active ? (sorting.order === 'asc' ? 'ascending' : 'descending') : undefined}>
      <button
        type="button"
        className="sort"
        data-active={active || undefined}
        onClick={() => sorting.onSort(by)}
      >
        {title}
        {active && <Icon size={13} aria-hidden />}
      </button>
    </th>
  );
}

/** Jobs, one a row. */
export function JobTable({ jobs, sorting, picking, brief = false, label = 'Jobs' }: JobTableProps) {
  const all = jobs.length > 0 && jobs.every((job) => picking?.picked.has(job.id));
  const some = jobs.some((job) => picking?.picked.has(job.id));
  return (
    <TableBox label={label}>
      <table className="table">
        <thead>
          <tr>
            {picking && (
              <th scope="col" style={{ width: 36 }}>
                <Checkbox
                  size="xs"
                  aria-label="Choose all jobs"
                  checked={all}
                  indeterminate={some && !all}
                  onChange={(event) =>
                    picking.toggle(
                      jobs.map((job) => job.id),
                      event.currentTarget.checked,
                    )
                  }
                />
              </th>
            )}
            <Head title="Job" by="name" sorting={sorting} />
            <Head title="State" by="state" sorting={sorting} />
            <th scope="col">Progress</th>
            <th scope="col">Best score</th>
            {!brief && <th scope="col">Each task has</th>}
            {!brief && <th scope="col">User</th>}
            <Head title="Submitted" by="submittedAt" sorting={sorting} />
            <Head title="Took" by="endedAt" sorting={sorting} />
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <JobRow key={job.id} job={job} picking={picking} brief={brief} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function JobRow({ job, picking, brief }: { job: JobSummary; picking?: Picking; brief: boolean }) {
  const chosen = picking?.picked.has(job.id) ?? false;
  return (
    <tr data-selected={chosen || undefined}>
      {picking && (
        <td>
          <Checkbox
            size="xs"
            aria-label={`Choose ${job.name}`}
            checked={chosen}
            onChange={(event) => picking.toggle([job.id], event.currentTarget.checked)}
          />
        </td>
      )}
      <td style={{ minWidth: 150 }}>
        <Link to="/jobs/$job" params={{ job: job.id }} className="plain">
          <Text component="span" size="sm" fw={570}>
            {job.name}
          </Text>
        </Link>
        <Text size="xs" c="dimmed" className="mono">
          {job.script}
        </Text>
      </td>
      <td>
        <StateBadge state={job.state} />
      </td>
      <td style={{ minWidth: 150 }}>
        <TaskBar job={job} />
        <Text size="xs" c="dimmed" mt={5} style={{ whiteSpace: 'nowrap' }}>
          {taskCounts(job)}
        </Text>
      </td>
      <td style={{ whiteSpace: 'nowrap' }}>
        {job.best ? (
          <>
            <Text component="span" size="sm" fw={550} className="num">
              {score(job.best.value)}
            </Text>
            <Text size="xs" c="dimmed">
              {metricTitle(job.primary ?? '')} · {job.best.name}
            </Text>
          </>
        ) : (
          <Text component="span" c="dimmed" size="sm">
            –
          </Text>
        )}
      </td>
      {!brief && (
        <td>
          <Text component="div" size="xs" c="dimmed" style={{ minWidth: 150, maxWidth: 210 }}>
            {resourcesText(job.resources)}
          </Text>
        </td>
      )}
      {!brief && <td>{job.user}</td>}
      <td>
        <When at={job.submittedAt} />
      </td>
      <td style={{ whiteSpace: 'nowrap' }}>
        <Elapsed from={job.startedAt} to={job.endedAt} />
      </td>
    </tr>
  );
}
