import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run-cli.ts';

const native = join(root, 'native/build');

/** UUID of the fake driver's device. */
export const FAKE_GPU = 'GPU-76677075-6661-6b65-0000-000000000001';

/** The fake driver in place of NVIDIA's, on the host and in containers; its device is a file in a folder of the test's. */
export class FakeNvidia {
  readonly #device: string;
  /** What a program of the host needs to find it. */
  readonly env: Record<string, string>;
  /** What a server needs besides: where the CDI specification is. */
  readonly serverEnv: Record<string, string>;

  constructor(base: string) {
    const folder = join(base, 'fake');
    const specs = join(base, 'cdi');
    for (const path of [folder, specs]) mkdirSync(path);
    chmodSync(folder, 0o777);
    this.#device = join(folder, 'gpu');
    this.env = {
      VGPU_NVML_LIBRARY: join(native, 'fakedriver/libnvidia-ml.so.1'),
      LD_LIBRARY_PATH: join(native, 'fakedriver'),
      VGPU_FAKE_GPU: this.#device,
    };
    this.serverEnv = { ...this.env, VGPU_CDI_DIRS: specs };
    writeFileSync(join(specs, 'nvidia.json'), JSON.stringify(specification(folder)));
  }

  /** Lets the workers' user use the device, once somebody has made it. */
  open(): void {
    chmodSync(this.#device, 0o666);
  }
}

function specification(folder: string): object {
  const mount = (hostPath: string, containerPath: string, how: 'ro' | 'rw') => ({
    hostPath,
    containerPath,
    options: [how],
  });
  const library = (name: string) => mount(join(native, 'fakedriver', name), `/usr/lib/${name}`, 'ro');
  return {
    cdiVersion: '0.6.0',
    kind: 'nvidia.com/gpu',
    containerEdits: {
      env: ['VGPU_FAKE_GPU=/run/fake/gpu'],
      mounts: [library('libcuda.so.1'), library('libnvidia-ml.so.1'), mount(folder, '/run/fake', 'rw')],
    },
    devices: [{ name: FAKE_GPU, containerEdits: {} }],
  };
}
