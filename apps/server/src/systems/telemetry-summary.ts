import type { TaskTable } from '@vgpu/store';
import type { ExceptionInfo, TelemetrySnapshot } from '@vgpu/telemetry';
import { progressView } from '../views/progress-view.ts';

/** What is kept of a task's telemetry in its row. */
export type TelemetryColumns = Pick<
  TaskTable,
  'metrics' | 'confusion' | 'progress' | 'last_line' | 'lines' | 'dropped_bytes'
>;

export interface TelemetrySummary {
  columns: TelemetryColumns;
  exception: ExceptionInfo | undefined;
}

/** Latest finite value of each metric. */
export function latestMetrics(snapshot: TelemetrySnapshot): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, { value }] of Object.entries(snapshot.metrics)) {
    if (Number.isFinite(value)) values[name] = value;
  }
  return values;
}

/** @param earlier metrics from before a restart of the server, which this snapshot does not know. */
export function summaryOf(snapshot: TelemetrySnapshot, earlier: Record<string, number>): TelemetrySummary {
  const { report, progress } = snapshot;
  return {
    columns: {
      metrics: JSON.stringify({ ...earlier, ...latestMetrics(snapshot) }),
      confusion: report?.confusion ? JSON.stringify(report.confusion) : null,
      progress: progress ? JSON.stringify(progressView(progress)) : null,
      last_line: snapshot.lastLine ?? null,
      lines: snapshot.lines,
      dropped_bytes: snapshot.dropped.bytes,
    },
    exception: snapshot.exception,
  };
}
