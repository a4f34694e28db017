/**
 * Every error that vgpu shows to a person or a program, in one place.
 * `message` and `hint` are templates: `{name}` is replaced by the detail of that name.
 * `docs/errors.md` is checked against this list by a test.
 */
export interface ErrorEntry {
  /** HTTP status of the API's answer. */
  readonly status: number;
  /** Exit code of the CLI: 1 failed, 2 usage, 3 server or engine out of reach. */
  readonly exit: 1 | 2 | 3;
  readonly message: string;
  readonly hint: string;
}

const entry = (status: number, exit: 1 | 2 | 3, message: string, hint: string): ErrorEntry => ({
  status,
  exit,
  message,
  hint,
});

export const catalogue = {
  // What the user wrote
  BAD_UNIT: entry(400, 2, 'not a {what}: "{value}"', 'Write it like {example}.'),
  BAD_SPEC: entry(400, 2, '{path}: {problem}', 'See `vgpu help spec` or docs/job-spec.md for every field.'),
  UNKNOWN_KEY: entry(400, 2, '{path}: unknown key "{key}"', '{suggestion}'),
  BAD_REQUEST: entry(400, 2, '{problem}', 'See the API reference at /docs.'),
  BAD_FLAG: entry(400, 2, '{flag}: {problem}', 'Run `vgpu {command} --help` for examples.'),
  BAD_NAME: entry(
    400,
    2,
    'the {what} name "{name}" is not usable',
    'Use 1 to 63 letters, digits, ".", "_" or "-", starting with a letter or digit.',
  ),
  FILE_NOT_FOUND: entry(400, 2, 'no such file: {path}', 'Check the path; it is read from {cwd}.'),
  FILE_UNREADABLE: entry(
    400,
    2,
    'cannot read {path}: {problem}',
    'Check that it is a regular file that you may read.',
  ),
  BAD_SCRIPT: entry(400, 2, 'cannot run {path}: {problem}', '{advice}'),
  BAD_DATASET: entry(422, 1, '{file}: {problem}', 'Run `vgpu data check {file}` to see what was detected.'),
  BAD_BUNDLE: entry(
    422,
    1,
    'the uploaded folder was refused: {problem}',
    'List what to leave out in .vgpuignore.',
  ),
  TOO_LARGE: entry(413, 1, '{what} is larger than the limit of {limit}', '{advice}'),
  UNSATISFIABLE: entry(
    422,
    1,
    'no machine here can ever run this: {problem}',
    'Ask for less, or see `vgpu top` for what there is.',
  ),
  QUOTA_EXCEEDED: entry(
    403,
    1,
    'project {project} is over its quota: {problem}',
    'Ask an administrator for more, or wait.',
  ),
  EGRESS_DENIED: entry(
    403,
    1,
    'project {project} does not allow network: egress',
    'Set allowEgress for the project, or use network: none.',
  ),
  SECRET_MISSING: entry(
    422,
    1,
    'project {project} has no secret "{name}"',
    'Set it with `vgpu secret set {name}`; `vgpu secret ls` shows what there is.',
  ),
  SECRET_UNREADABLE: entry(
    422,
    1,
    'the secret "{name}" cannot be used: {problem}',
    'Set it again with `vgpu secret set {name}`.',
  ),
  // Things and their states
  NOT_FOUND: entry(404, 1, 'no {what} "{id}"', 'List what there is with `vgpu {list}`.'),
  AMBIGUOUS: entry(409, 2, '"{id}" fits {count} {what}s', 'Give more characters of the id.'),
  CONFLICT: entry(409, 1, '{problem}', '{advice}'),
  IDEMPOTENCY_MISMATCH: entry(
    409,
    1,
    'the idempotency key "{key}" was used for a different request',
    'Use a new key for a new request.',
  ),
  BAD_TRANSITION: entry(409, 1, 'the task is {from} and cannot become {to}', 'Look at it with `vgpu show`.'),
  // Trust
  UNAUTHENTICATED: entry(
    401,
    1,
    'no valid token came with the request',
    'Run `vgpu login URL`, or set VGPU_TOKEN.',
  ),
  FORBIDDEN: entry(
    403,
    1,
    'the token may not {action}',
    'Ask an administrator for a token with the scope {scope}.',
  ),
  RATE_LIMITED: entry(429, 1, 'too many requests', 'Try again in {seconds} s.'),
  // What vgpu stands on
  SERVER_UNREACHABLE: entry(
    503,
    3,
    'no vgpu server answers at {url}',
    'Start one with `vgpu up`, or `vgpu login URL`.',
  ),
  SERVER_FAILED: entry(503, 3, 'the server did not start: {problem}', '{advice}'),
  SERVER_RUNNING: entry(
    409,
    1,
    'a server already runs with this state (pid {pid})',
    'Stop it with `vgpu down`.',
  ),
  ENGINE_UNREACHABLE: entry(
    503,
    3,
    'no container engine answers: {problem}',
    'Run `vgpu doctor`, then `vgpu setup`.',
  ),
  ENGINE_FAILED: entry(
    502,
    3,
    'the container engine refused: {problem}',
    'See `vgpu doctor`; the engine’s own log says more.',
  ),
  IMAGE_MISSING: entry(
    422,
    1,
    'there is no image "{image}"',
    'See `vgpu image ls`; build one with `vgpu image build`.',
  ),
  IMAGE_BUILD_FAILED: entry(
    422,
    1,
    'building image {image} failed at {step}: {problem}',
    'Read the last lines above the message.',
  ),
  DISK_FULL: entry(507, 1, 'the disk under {path} is full', 'Free space, or move VGPU_HOME.'),
  STORE_FAILED: entry(
    500,
    1,
    'the state could not be written: {problem}',
    'Nothing was acknowledged. Check the disk under VGPU_HOME.',
  ),
  UNSUPPORTED: entry(501, 1, '{what} is not supported here: {problem}', 'Run `vgpu doctor`.'),
  INTERNAL: entry(
    500,
    1,
    'an unexpected error: {problem}',
    'Please report it with the request id {request}.',
  ),
  // Why a task ended as it did (a task's reason.code)
  SCRIPT_FAILED: entry(
    422,
    1,
    'the script ended with exit code {exitCode}',
    'Read its last lines with `vgpu logs`.',
  ),
  SCRIPT_EXCEPTION: entry(422, 1, '{type}: {text}', 'Read the traceback with `vgpu logs`.'),
  KILLED: entry(422, 1, 'the script was ended by signal {signal}', 'Read its last lines with `vgpu logs`.'),
  OUT_OF_MEMORY: entry(
    422,
    1,
    'the task used more than its {limit} of memory',
    'Give it more with --memory.',
  ),
  OUT_OF_VRAM: entry(
    422,
    1,
    'the task used more than its {limit} of accelerator memory',
    'Give it more with --vram.',
  ),
  TIMED_OUT: entry(422, 1, 'the task ran longer than {limit}', 'Give it more with --time.'),
  OUTPUT_LIMIT: entry(
    422,
    1,
    'the task wrote more than {limit} of output files',
    'Write less, or raise the output limit.',
  ),
  START_FAILED: entry(422, 1, 'the worker could not start: {problem}', 'See `vgpu doctor`.'),
  WORKER_LOST: entry(
    422,
    1,
    'the worker disappeared and no attempts remain',
    'Retry with `vgpu retry`, or raise limits.retries.',
  ),
  ACCELERATOR_LOST: entry(
    422,
    1,
    'the accelerator {uuid} failed under the task: {problem}',
    'See `vgpu gpu ls`; after an Xid it takes no work until `vgpu gpu uncordon`.',
  ),
  ACCELERATOR_DRAINED: entry(
    422,
    1,
    'the accelerator {uuid} was drained: {why}',
    'It starts again by itself on another one and pays no retry for it.',
  ),
  PREEMPTED: entry(
    422,
    1,
    'stopped to make room: {why}',
    'It starts again by itself and pays no retry for it; qos: guaranteed is never stopped for others.',
  ),
  STOPPED: entry(422, 1, 'stopped by {who}', 'Run it again with `vgpu retry`.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalogue;
