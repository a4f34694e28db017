import type { Job } from '@vgpu/api';
import type { Session } from '../context/connection.ts';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { Detached } from './detached.ts';
import { LiveView } from './live-view.ts';
import { PlainView } from './plain-view.ts';
import { watchJob } from './watch-job.ts';

/**
 * Shows a job live until it ends: on a terminal one line for each worker with its progress, elsewhere every printed
 * line behind its worker's name.
 */
export async function followJob(session: Session, job: Pick<Job, 'id' | 'name'>): Promise<Job> {
  const live = process.stdout.isTTY === true && process.env.TERM !== 'dumb';
  const view = live ? new LiveView() : new PlainView();
  try {
    return await watchJob(session, job.id, view);
  } catch (error) {
    if (error instanceof Detached) {
      view.close();
      note(style.dim(`detached; ${job.name} goes on: vgpu logs -f ${job.id}, vgpu stop ${job.id}`));
    }
    throw error;
  } finally {
    view.close();
  }
}
