import koffi from 'koffi';

/** Query codes of cl.h, by the names of the specification (OpenCL 3.0, tables 5 and 6). */
const CL_PLATFORM_NAME = 0x0902;
const CL_DEVICE_TYPE = 0x1000;
const CL_DEVICE_MAX_COMPUTE_UNITS = 0x1002;
const CL_DEVICE_GLOBAL_MEM_SIZE = 0x101f;
const CL_DEVICE_NAME = 0x102b;
const CL_DEVICE_VENDOR = 0x102c;
const CL_DRIVER_VERSION = 0x102d;
const CL_DEVICE_TYPE_ALL = 0xffffffffn;

const typeBits = { cpu: 2n, gpu: 4n, accelerator: 8n } as const;

export interface ClDevice {
  platform: string;
  name: string;
  vendor: string;
  driverVersion: string;
  type: 'cpu' | 'gpu' | 'accelerator' | 'other';
  computeUnits: number;
  memory: number;
}

type Info = (
  object: unknown,
  what: number,
  size: number,
  value: Buffer | null,
  needed: [number] | null,
) => number;

/**
 * Every device of every OpenCL platform of this host.
 * @throws Error when there is no OpenCL loader.
 */
export function listClDevices(library = 'libOpenCL.so.1'): ClDevice[] {
  const lib = koffi.load(library);
  const platformIds = lib.func('int clGetPlatformIDs(uint32_t n, _Out_ void **ids, _Out_ uint32_t *count)');
  const deviceIds = lib.func(
    'int clGetDeviceIDs(void *platform, uint64_t type, uint32_t n, _Out_ void **ids, _Out_ uint32_t *count)',
  );
  const info = (name: string) =>
    lib.func(
      `int ${name}(void *object, uint32_t what, size_t size, void *value, _Out_ size_t *needed)`,
    ) as unknown as Info;
  const platformInfo = info('clGetPlatformInfo');
  const deviceInfo = info('clGetDeviceInfo');

  const bytes = (call: Info, object: unknown, what: number): Buffer => {
    const needed: [number] = [0];
    call(object, what, 0, null, needed);
    const value = Buffer.alloc(Math.max(8, Number(needed[0])));
    call(object, what, value.length, value, null);
    return value;
  };
  const text = (call: Info, object: unknown, what: number) => {
    const value = bytes(call, object, what);
    const end = value.indexOf(0);
    return value.toString('utf8', 0, end < 0 ? value.length : end).trim();
  };
  const list = (call: (room: number, ids: unknown[] | null, count: [number]) => number): unknown[] => {
    const count: [number] = [0];
    if (call(0, null, count) !== 0 || count[0] === 0) return [];
    const ids: unknown[] = new Array(count[0]).fill(null);
    return call(count[0], ids, count) === 0 ? ids : [];
  };

  return list((n, ids, count) => platformIds(n, ids, count)).flatMap((platform) =>
    list((n, ids, count) => deviceIds(platform, CL_DEVICE_TYPE_ALL, n, ids, count)).map(
      (device): ClDevice => {
        const bits = bytes(deviceInfo, device, CL_DEVICE_TYPE).readBigUInt64LE();
        const known = (Object.keys(typeBits) as (keyof typeof typeBits)[]).find(
          (name) => bits & typeBits[name],
        );
        return {
          platform: text(platformInfo, platform, CL_PLATFORM_NAME),
          name: text(deviceInfo, device, CL_DEVICE_NAME),
          vendor: text(deviceInfo, device, CL_DEVICE_VENDOR),
          driverVersion: text(deviceInfo, device, CL_DRIVER_VERSION),
          type: known ?? 'other',
          computeUnits: bytes(deviceInfo, device, CL_DEVICE_MAX_COMPUTE_UNITS).readUInt32LE(),
          memory: Number(bytes(deviceInfo, device, CL_DEVICE_GLOBAL_MEM_SIZE).readBigUInt64LE()),
        };
      },
    ),
  );
}
