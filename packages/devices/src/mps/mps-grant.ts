import { emptyGrant, type Grant } from '../slices/grant.ts';
import type { MpsFolders } from './mps-daemon.ts';

/**
 * What makes a container a client of the device's MPS server: the daemon's pipes, at the path that they have on the
 * host, the shared memory of its clients, and the environment that the driver reads. The limiter puts the environment
 * right by itself (it knows the pipes from the slice); here it is for programs that look.
 * @param milli multiprocessors, as the arbiter says. @param bytes of device memory, 0: no limit.
 */
export function mpsGrant(folders: MpsFolders, milli: number, bytes: number): Grant {
  return {
    ...emptyGrant(),
    env: {
      CUDA_MPS_PIPE_DIRECTORY: folders.pipes,
      CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: (milli / 10).toFixed(1),
      ...(bytes > 0 ? { CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: `0=${Math.ceil(bytes / 2 ** 20)}M` } : {}),
    },
    // Pipes have to be written to. The folder is root's: a worker can neither remove nor replace what is in it.
    mounts: [
      { source: folders.pipes, target: folders.pipes, readOnly: false },
      { source: folders.shm, target: '/dev/shm', readOnly: false },
    ],
  };
}
