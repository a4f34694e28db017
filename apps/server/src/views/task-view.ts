import type { Task } from '@vgpu/api';
import { isTerminal } from '@vgpu/core';
import type { TaskTable } from '@vgpu/store';
import type { TelemetrySnapshot } from '@vgpu/telemetry';
import { latestMetrics } from '../systems/telemetry-summary.ts';
import type { Waiting } from '../systems/wait-reasons.ts';
import { progressView } from './progress-view.ts';

/** What is known of a task beside its row. */
export interface TaskLive {
  snapshot: TelemetrySnapshot | undefined;
  waiting: Waiting | undefined;
  slices: Task['slices'];
  ports: readonly number[];
}

const json = <T>(text: string | null): T | null => (text === null ? null : (JSON.parse(text) as T));

/** A task in the words of the API: its row, and over it what it says right now. */
export function taskView(row: TaskTable, live: TaskLive): Task {
  const { snapshot } = live;
  const stored = JSON.parse(row.metrics) as Record<string, number>;
  const report = snapshot?.report;
  return {
    id: row.id,
    job: row.job,
    index: row.idx,
    name: row.name,
    worker: row.worker,
    container: row.container,
    dataset: row.dataset,
    datasetVersion: row.dataset_version,
    target: row.target,
    state: row.state,
    reason: json<NonNullable<Task['reason']>>(row.reason),
    exitCode: row.exit_code,
    attempts: row.attempts,
    metrics: snapshot ? { ...stored, ...latestMetrics(snapshot) } : stored,
    confusion: report?.confusion ?? json(row.confusion),
    progress: snapshot?.progress ? progressView(snapshot.progress) : json(row.progress),
    lastLine: snapshot?.lastLine ?? row.last_line,
    lines: snapshot?.lines ?? row.lines,
    droppedBytes: snapshot?.dropped.bytes ?? row.dropped_bytes,
    timings: { queued: row.queued_ms, start: row.start_ms, run: row.run_ms, teardown: row.teardown_ms },
    slices: live.slices,
    waiting: row.state === 'QUEUED' ? (live.waiting ?? null) : null,
    ports: [...live.ports],
    files: row.files,
    submittedAt: row.submitted_at,
    startedAt: row.started_at,
    endedAt: isTerminal(row.state) ? row.ended_at : null,
  };
}
