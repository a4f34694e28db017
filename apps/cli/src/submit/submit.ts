import { randomUUID } from 'node:crypto';
import { dirname, isAbsolute } from 'node:path';
import { type Job, type RouteOutput, routes } from '@vgpu/api';
import type { JobSpec } from '@vgpu/core';
import { uploadScript } from '../bundle/upload.ts';
import type { Session } from '../context/connection.ts';
import { pathHere } from './check-here.ts';
import { resolveData } from './resolve-data.ts';

export interface SubmitRequest {
  /** The spec as the user wrote it, from flags or YAML. */
  spec: Record<string, unknown>;
  /** Folder that its relative paths start from. */
  from: string;
  /** Folder to upload, where it is not the script's own. */
  folder?: string | undefined;
  idempotencyKey?: string | undefined;
}

type Submission = { spec: Record<string, unknown>; bundle: string };

/** A submission in which nothing is wrong that this machine can tell. */
export interface CheckedRequest extends SubmitRequest {
  parsed: JobSpec;
}

/** Uploads the script and imports the files: what remains is to submit. */
async function prepare({ client }: Session, request: CheckedRequest): Promise<Submission> {
  const { parsed } = request;
  const script = pathHere(parsed.script, request.from);
  const folder = request.folder ?? (isAbsolute(parsed.script) ? dirname(script) : undefined);
  const uploaded = await uploadScript(client, script, folder);
  const data = await resolveData(client, parsed.data, request.from);
  const spec: Record<string, unknown> = { ...request.spec, script: uploaded.script };
  if (data.length > 0) spec.data = data;
  return { spec, bundle: uploaded.hash };
}

/**
 * Submits a job. Without a key of the user's, one is made, so that a broken connection may be repeated safely.
 * @throws VgpuError for a dataset that is not known, a folder that cannot be uploaded, or what the server refuses.
 */
export async function submit(session: Session, request: CheckedRequest): Promise<Job> {
  const body = await prepare(session, request);
  const idempotencyKey = request.idempotencyKey ?? randomUUID();
  return session.client.call(routes.jobs.submit, { body }, { idempotencyKey });
}

/** What a submission would do. The script is uploaded and the files are imported, but no job is made. */
export async function preview(
  session: Session,
  request: CheckedRequest,
): Promise<RouteOutput<typeof routes.jobs.preview>> {
  const body = await prepare(session, request);
  return session.client.call(routes.jobs.preview, { body });
}
