import type { JobState, TaskState } from '@vgpu/core';
import type { QueueMessageTable } from '@vgpu/queue';
import type { Generated } from 'kysely';

/**
 * The tables as TypeScript sees them. Times are epoch milliseconds; `json` columns hold JSON text, since both
 * engines agree on text; flags are 0 or 1. Every table carries its project.
 */
type Json = string;

export interface ProjectTable {
  project: string;
  created_at: number;
  /** Whether specs may say `network: egress`. */
  allow_egress: number;
  /** The project above it in the tree of queues; null: directly under the machine. */
  parent: string | null;
  /** What it deserves, and its hard ceiling: `{gpu, cpu, memory}` in thousandths and bytes. */
  quota: Generated<Json>;
  cap: Generated<Json>;
  /** Its share of what others leave idle; 0 never borrows. */
  over_quota_weight: Generated<number>;
}

export interface UserTable {
  id: string;
  project: string;
  name: string;
  created_at: number;
}

export interface TokenTable {
  id: string;
  project: string;
  user: string;
  name: string;
  /** SHA-256 (hex) of the secret; the secret itself is nowhere. */
  hash: string;
  scopes: Json;
  created_at: number;
  last_used_at: number | null;
  expires_at: number | null;
}

export interface BundleTable {
  project: string;
  hash: string;
  files: number;
  bytes: number;
  created_at: number;
}

export interface DatasetTable {
  id: string;
  project: string;
  name: string;
  created_at: number;
}

export interface DatasetVersionTable {
  project: string;
  dataset: string;
  /** 1, 2, 3 … within its dataset. */
  number: number;
  /** Content hash: names the folder under `datasets/`. */
  version: string;
  created_at: number;
  rows: number;
  rejected: number;
  columns: number;
  bytes: number;
  file: string;
  target: string | null;
}

export interface JobTable {
  id: string;
  project: string;
  user: string;
  name: string;
  state: JobState;
  spec: Json;
  script: string;
  image: string;
  bundle: string;
  priority: number;
  primary_metric: string | null;
  goal: string | null;
  tasks_total: number;
  /** Workers placed so far: the next is `vgpu-worker-<workers + 1>`. */
  workers: number;
  submitted_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export interface TaskTable {
  id: string;
  project: string;
  job: string;
  idx: number;
  name: string;
  dataset: string | null;
  dataset_version: string | null;
  target: string | null;
  state: TaskState;
  reason: Json | null;
  exit_code: number | null;
  /** The attempt that may report; anything from another one is refused. */
  attempt: string | null;
  attempts: number;
  /** Attempts that the user's `limits.retries` paid for. */
  retries_used: number;
  /** Workers lost through no fault of the script (a crash of the server or the engine). */
  losses: number;
  /** Who asked for the stop, if anybody did. */
  stop_by: string | null;
  /** Not placed before this time (back-off after a failure). */
  not_before: number;
  worker: string | null;
  container: string | null;
  metrics: Json;
  confusion: Json | null;
  progress: Json | null;
  last_line: string | null;
  lines: number;
  dropped_bytes: number;
  files: number;
  queued_ms: number | null;
  start_ms: number | null;
  run_ms: number | null;
  teardown_ms: number | null;
  submitted_at: number;
  queued_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export interface AttemptTable {
  id: string;
  project: string;
  task: string;
  job: string;
  number: number;
  worker: string;
  /** What the scheduler gave it: cpu, memory, shares of accelerators. */
  placement: Json;
  /** The driver's handle, once it started. */
  handle: Json | null;
  /** How it ended: written before its worker is destroyed, so that no end is lost or happens twice. */
  outcome: Json | null;
  /** Why it is being stopped to make room: written before its worker is told, so that its end costs no retry. */
  preempted: Json | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export interface EventTable {
  seq: Generated<number>;
  project: string;
  at: number;
  /** `task`, `job`, `dataset`, `token`, … */
  kind: string;
  job: string | null;
  task: string | null;
  attempt: string | null;
  from_state: string | null;
  to_state: string | null;
  data: Json | null;
}

export interface IdempotencyTable {
  project: string;
  key: string;
  /** Hash of method, path and body. */
  fingerprint: string;
  /** What was made, such as a job's id. */
  result: string;
  created_at: number;
}

export interface PoolTable {
  project: string;
  name: string;
  accelerators: Json;
  split_count: number;
  core_scaling: number;
  memory_scaling: number;
  mps: 'off' | 'auto' | 'required';
  mps_across_projects: number;
}

export interface SecretTable {
  project: string;
  name: string;
  /** The value under AES-256-GCM: nonce, ciphertext and tag in Base64. It opens only as this name of this project. */
  sealed: string;
  /** Which key of the home's key file sealed it. */
  key_id: string;
  /** Length of the value. */
  bytes: number;
  /** Whether the value is text that an environment variable can hold. */
  text: number;
  created_at: number;
  updated_at: number;
  updated_by: string;
}

export interface SettingTable {
  project: string;
  name: string;
  value: Json;
}

export interface Tables {
  projects: ProjectTable;
  users: UserTable;
  tokens: TokenTable;
  bundles: BundleTable;
  datasets: DatasetTable;
  dataset_versions: DatasetVersionTable;
  jobs: JobTable;
  tasks: TaskTable;
  attempts: AttemptTable;
  events: EventTable;
  idempotency: IdempotencyTable;
  pools: PoolTable;
  secrets: SecretTable;
  settings: SettingTable;
  queue_messages: QueueMessageTable;
}
