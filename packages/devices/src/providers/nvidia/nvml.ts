import koffi, { type LibraryHandle } from 'koffi';

/** Return codes of NVML that matter here (nvml.h, nvmlReturn_t). */
const SUCCESS = 0;
const NOT_SUPPORTED = 3;
const GPU_IS_LOST = 15;
const TIMEOUT = 10;
/** nvmlEventTypeXidCriticalError. */
const EVENT_XID = 0x8n;

export class NvmlError extends Error {
  readonly code: number;
  constructor(call: string, code: number, text: string) {
    super(`${call}: ${text}`);
    this.name = 'NvmlError';
    this.code = code;
  }
  get lost(): boolean {
    return this.code === GPU_IS_LOST;
  }
}

// koffi knows these structures by the names that the prototypes below use
koffi.struct('nvmlMemory_t', { total: 'uint64_t', free: 'uint64_t', used: 'uint64_t' });
koffi.struct('nvmlUtilization_t', { gpu: 'uint32_t', memory: 'uint32_t' });
koffi.struct('nvmlPciInfo_t', {
  busIdLegacy: koffi.array('char', 16),
  domain: 'uint32_t',
  bus: 'uint32_t',
  device: 'uint32_t',
  pciDeviceId: 'uint32_t',
  pciSubSystemId: 'uint32_t',
  busId: koffi.array('char', 32),
});
koffi.struct('nvmlProcessInfo_t', {
  pid: 'uint32_t',
  usedGpuMemory: 'uint64_t',
  gpuInstanceId: 'uint32_t',
  computeInstanceId: 'uint32_t',
});
koffi.struct('nvmlEventData_t', {
  device: 'void *',
  eventType: 'uint64_t',
  eventData: 'uint64_t',
  gpuInstanceId: 'uint32_t',
  computeInstanceId: 'uint32_t',
});

/** An opaque nvmlDevice_t. */
type Handle = unknown;
type Call = (...args: unknown[]) => number;

/** The part of NVML that vgpu reads. Only these symbols are resolved; those that a driver lacks answer null. */
export class Nvml {
  readonly #lib: LibraryHandle;
  readonly #calls = new Map<string, Call | null>();

  /** @throws Error when the library is absent; NvmlError when it does not initialise. */
  constructor(library = process.env.VGPU_NVML_LIBRARY ?? 'libnvidia-ml.so.1') {
    this.#lib = koffi.load(library);
    this.#must('nvmlInit_v2', 'int nvmlInit_v2()');
  }

  close(): void {
    this.#try('int nvmlShutdown()');
  }

  driverVersion(): string {
    return (
      this.#text('int nvmlSystemGetDriverVersion(_Out_ char *version, uint32_t length)', []) ?? 'unknown'
    );
  }

  devices(): Handle[] {
    const count = [0];
    this.#must('nvmlDeviceGetCount_v2', 'int nvmlDeviceGetCount_v2(_Out_ uint32_t *count)', count);
    return Array.from({ length: count[0]! }, (_, index) => {
      const handle: Handle[] = [null];
      this.#must(
        'nvmlDeviceGetHandleByIndex_v2',
        'int nvmlDeviceGetHandleByIndex_v2(uint32_t index, _Out_ void **device)',
        index,
        handle,
      );
      return handle[0];
    });
  }

  uuid(device: Handle): string {
    return this.#mustText('nvmlDeviceGetUUID', device);
  }

  name(device: Handle): string {
    return this.#mustText('nvmlDeviceGetName', device);
  }

  memory(device: Handle): { total: number; used: number } | null {
    const out = [{ total: 0n, free: 0n, used: 0n }];
    const code = this.#try(
      'int nvmlDeviceGetMemoryInfo(void *device, _Out_ nvmlMemory_t *memory)',
      device,
      out,
    );
    return code === SUCCESS ? { total: Number(out[0]!.total), used: Number(out[0]!.used) } : null;
  }

  utilisation(device: Handle): number | null {
    const out = [{ gpu: 0, memory: 0 }];
    const code = this.#try(
      'int nvmlDeviceGetUtilizationRates(void *device, _Out_ nvmlUtilization_t *utilization)',
      device,
      out,
    );
    return code === SUCCESS ? out[0]!.gpu : null;
  }

  temperature(device: Handle): number | null {
    return this.#number(
      'int nvmlDeviceGetTemperature(void *device, int sensor, _Out_ uint32_t *temp)',
      device,
      0,
    );
  }

  /** Watts. */
  power(device: Handle): number | null {
    const milliwatts = this.#number(
      'int nvmlDeviceGetPowerUsage(void *device, _Out_ uint32_t *power)',
      device,
    );
    return milliwatts === null ? null : milliwatts / 1000;
  }

  minor(device: Handle): number | null {
    return this.#number('int nvmlDeviceGetMinorNumber(void *device, _Out_ uint32_t *minor)', device);
  }

  /** Whether MIG is on; null where the device has no MIG. */
  migEnabled(device: Handle): boolean | null {
    const current = [0];
    const pending = [0];
    const code = this.#try(
      'int nvmlDeviceGetMigMode(void *device, _Out_ uint32_t *current, _Out_ uint32_t *pending)',
      device,
      current,
      pending,
    );
    return code === SUCCESS ? current[0] === 1 : null;
  }

  /** CUDA cores (NVML tells these, not multiprocessors). */
  cores(device: Handle): number | null {
    return this.#number('int nvmlDeviceGetNumGpuCores(void *device, _Out_ uint32_t *cores)', device);
  }

  pciBusId(device: Handle): string | null {
    const out = [{ busId: '' }];
    const code = this.#try(
      'int nvmlDeviceGetPciInfo_v3(void *device, _Out_ nvmlPciInfo_t *pci)',
      device,
      out,
    );
    return code === SUCCESS ? String(out[0]!.busId) : null;
  }

  processes(device: Handle): { pid: number; memory: number | null }[] {
    const room = 256;
    const count = [room];
    const list = new Array(room).fill(null);
    const code = this.#try(
      'int nvmlDeviceGetComputeRunningProcesses_v3(void *device, _Inout_ uint32_t *count, _Out_ nvmlProcessInfo_t *infos)',
      device,
      count,
      list,
    );
    if (code !== SUCCESS) return [];
    // usedGpuMemory is all ones where the driver cannot tell (NVML_VALUE_NOT_AVAILABLE)
    return (list.slice(0, count[0]) as { pid: number; usedGpuMemory: number | bigint }[]).map((p) => ({
      pid: p.pid,
      memory: BigInt(p.usedGpuMemory) === 0xffffffffffffffffn ? null : Number(p.usedGpuMemory),
    }));
  }

  /** Watches critical Xid errors of these devices; `poll` gives those that came since. Null where unsupported. */
  watchXid(devices: readonly Handle[]): { poll(): { uuid: string; xid: number }[] } | null {
    const set: Handle[] = [null];
    if (this.#try('int nvmlEventSetCreate(_Out_ void **set)', set) !== SUCCESS) return null;
    const register = 'int nvmlDeviceRegisterEvents(void *device, uint64_t types, void *set)';
    if (!devices.some((device) => this.#try(register, device, EVENT_XID, set[0]) === SUCCESS)) return null;
    const wait = 'int nvmlEventSetWait_v2(void *set, _Out_ nvmlEventData_t *data, uint32_t timeoutMs)';
    return {
      poll: () => {
        const seen: { uuid: string; xid: number }[] = [];
        for (let i = 0; i < 64; i++) {
          const data = [{ device: null as Handle, eventData: 0n }];
          const code = this.#try(wait, set[0], data, 0);
          if (code === TIMEOUT || code !== SUCCESS) break;
          seen.push({ uuid: this.uuid(data[0]!.device), xid: Number(data[0]!.eventData) });
        }
        return seen;
      },
    };
  }

  #call(prototype: string): Call | null {
    let call = this.#calls.get(prototype);
    if (call === undefined) {
      try {
        call = this.#lib.func(prototype) as unknown as Call;
      } catch {
        call = null; // an older driver lacks the symbol
      }
      this.#calls.set(prototype, call);
    }
    return call;
  }

  #try(prototype: string, ...args: unknown[]): number {
    const call = this.#call(prototype);
    return call ? call(...args) : NOT_SUPPORTED;
  }

  #must(name: string, prototype: string, ...args: unknown[]): void {
    const code = this.#try(prototype, ...args);
    if (code !== SUCCESS) throw new NvmlError(name, code, this.#errorText(code));
  }

  #errorText(code: number): string {
    const call = this.#call('const char *nvmlErrorString(int result)') as unknown as
      | ((c: number) => string)
      | null;
    return call ? call(code) : `NVML error ${code}`;
  }

  #number(prototype: string, ...args: unknown[]): number | null {
    const out = [0];
    return this.#try(prototype, ...args, out) === SUCCESS ? out[0]! : null;
  }

  #text(prototype: string, before: unknown[]): string | null {
    const buffer = Buffer.alloc(256);
    if (this.#try(prototype, ...before, buffer, buffer.length) !== SUCCESS) return null;
    return buffer.toString('utf8', 0, Math.max(0, buffer.indexOf(0)));
  }

  #mustText(name: string, device: Handle): string {
    const prototype = `int ${name}(void *device, _Out_ char *text, uint32_t length)`;
    const text = this.#text(prototype, [device]);
    if (text !== null) return text;
    const buffer = Buffer.alloc(256);
    const code = this.#try(prototype, device, buffer, buffer.length);
    throw new NvmlError(name, code, this.#errorText(code));
  }
}
