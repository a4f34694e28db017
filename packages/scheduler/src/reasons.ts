/** Why a task waits. Programs match on the code; people read the message. */
export type WaitCode =
  | 'no-nodes'
  | 'no-model'
  | 'no-mode'
  | 'no-isolation'
  | 'no-labels'
  | 'too-large'
  | 'cpu'
  | 'memory'
  | 'gpu'
  | 'vram'
  | 'slots'
  | 'project'
  | 'profile'
  | 'topology'
  | 'unhealthy'
  | 'quota'
  | 'limit'
  | 'gang'
  | 'reserved'
  | 'preempting'
  | 'repartitioning'
  | 'budget'
  | 'already-running';

/** True where time alone cannot help: the request or the cluster has to change. */
export function isHopeless(code: WaitCode): boolean {
  switch (code) {
    case 'no-nodes':
    case 'no-model':
    case 'no-mode':
    case 'no-isolation':
    case 'no-labels':
    case 'too-large':
      return true;
    case 'cpu':
    case 'memory':
    case 'gpu':
    case 'vram':
    case 'slots':
    case 'project':
    case 'profile':
    case 'topology':
    case 'unhealthy':
    case 'quota':
    case 'limit':
    case 'gang':
    case 'reserved':
    case 'preempting':
    case 'repartitioning':
    case 'budget':
    case 'already-running':
      return false;
  }
}
