import { formatBytes } from '@vgpu/core';
import type { WorkerExit } from '@vgpu/drivers';
import type { Devices } from './devices.ts';
import { type Reason, reasonOf } from './outcome.ts';

/** How the APIs and the common frameworks say that device memory ran out. */
const OUT_OF_VRAM =
  /CL_MEM_OBJECT_ALLOCATION_FAILURE|MEM_OBJECT_ALLOCATION_FAILURE|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|CUDA out of memory|cuda\.memory\.OutOfMemoryError|torch\.(cuda\.)?OutOfMemoryError|RESOURCE_EXHAUSTED: Out of memory|OOM when allocating tensor/i;

/** How they say that the device itself failed. */
const DEVICE_FAILURE =
  /CUDA error|CUDA_ERROR_(ECC_UNCORRECTABLE|LAUNCH_FAILED|DEVICE_UNAVAILABLE|HARDWARE_STACK_ERROR|UNKNOWN)|GPU is lost|uncorrectable (ECC|NVLink)|CL_DEVICE_NOT_AVAILABLE|DEVICE_NOT_AVAILABLE/i;

/** The monitor looks once a second: this long after a failure it has told of a broken device. */
const NEXT_LOOK_MS = 1500;

const textOf = (exit: WorkerExit): string =>
  exit.exception ? `${exit.exception.type}: ${exit.exception.message}` : '';

/**
 * Whether an attempt failed because it ran out of accelerator memory: the script said so, and, where the limiter
 * keeps the account, an allocation was really refused.
 */
export function vramReason(exit: WorkerExit, attempt: string, devices: Devices): Reason | undefined {
  if (exit.reason !== 'failed' || !OUT_OF_VRAM.test(textOf(exit))) return undefined;
  const held = devices.slices.filter((slice) => slice.attempt === attempt);
  if (held.length === 0) return undefined;
  const refused = held.some((slice) => {
    const use = devices.usage(slice.uuid)?.slices.find((one) => one.id === slice.id);
    return slice.mode === 'passthrough' || (use?.denied ?? 0) > 0;
  });
  if (!refused) return undefined;
  const bytes = held.reduce((sum, slice) => sum + slice.bytes, 0);
  return reasonOf('OUT_OF_VRAM', { limit: formatBytes(bytes) });
}

/**
 * Whether an attempt failed with its device: the reason, where a device that it holds is unhealthy. A failure that
 * reads like one waits for the monitor's next look.
 */
export async function brokenDeviceReason(
  exit: WorkerExit,
  attempt: string,
  devices: Devices,
): Promise<Reason | undefined> {
  if (exit.reason !== 'failed' && exit.reason !== 'signal') return undefined;
  const held = devices.slices.filter((slice) => slice.attempt === attempt);
  const look = () => {
    for (const { uuid } of held) {
      const { health, reason } = devices.inventory.health(uuid);
      if (health === 'unhealthy') return acceleratorLost(uuid, reason);
    }
    return undefined;
  };
  if (held.length === 0) return undefined;
  if (!look() && DEVICE_FAILURE.test(textOf(exit))) {
    await new Promise((resolve) => setTimeout(resolve, NEXT_LOOK_MS));
  }
  return look();
}

export const acceleratorLost = (uuid: string, problem: string | null): Reason =>
  reasonOf('ACCELERATOR_LOST', { uuid, problem: problem ?? 'it does not answer' });
