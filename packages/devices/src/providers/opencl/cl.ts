import koffi from 'koffi';

/** Query codes of cl.h, by the names of the specification (OpenCL 3.0, tables 5 and 6). */
const CL_PLATFORM_NAME = 0x0902;
const CL_DEVICE_TYPE = 0x1000;
const CL_DEVICE_MAX_COMPUTE_UNITS = 0x1002;
const CL_DEVICE_GLOBAL_MEM_SIZE = 0x101f;
const CL_DEVICE_NAME = 0x102b;
const CL_DEVICE_VENDOR = 0x102c;
const CL_DRIVER_VERSION = 0x102d;
const CL_DEVICE_EXTENSIONS = 0x1030;
/** cl_khr_pci_bus_info: domain, bus, device and function, 32 bits each. */
const CL_DEVICE_PCI_BUS_INFO_KHR = 0x410f;
/** cl_amd_device_attribute_query: 32 bits of type (1: PCIe), 17 bytes unused, then bus, device and function, a byte each. */
const CL_DEVICE_TOPOLOGY_AMD = 0x4037;
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
  /** PCI address as sysfs writes it, `0000:03:00.0`; null where the driver does not tell. */
  pci: string | null;
}

const address = (domain: number, bus: number, device: number, fn: number): string =>
  `${domain.toString(16).padStart(4, '0')}:${bus.toString(16).padStart(2, '0')}:${device.toString(16).padStart(2, '0')}.${fn}`;

/**
 * Where a device sits, from what its driver answers.
 * @param extensions of the device, blank-separated.
 * @param ask the value of a query; empty where it fails.
 */
export function pciAddress(extensions: string, ask: (what: number) => Buffer): string | null {
  const has = extensions.split(' ');
  if (has.includes('cl_khr_pci_bus_info')) {
    const value = ask(CL_DEVICE_PCI_BUS_INFO_KHR);
    if (value.length >= 16) {
      const [domain, bus, device, fn] = [0, 4, 8, 12].map((at) => value.readUInt32LE(at));
      return address(domain!, bus!, device!, fn!);
    }
  }
  if (has.includes('cl_amd_device_attribute_query')) {
    const value = ask(CL_DEVICE_TOPOLOGY_AMD);
    if (value.length >= 24 && value.readUInt32LE(0) === 1) {
      return address(0, value.readUInt8(21), value.readUInt8(22), value.readUInt8(23));
    }
  }
  return null;
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
  const answer = (object: unknown, what: number): Buffer => {
    const needed: [number] = [0];
    if (deviceInfo(object, what, 0, null, needed) !== 0) return Buffer.alloc(0);
    const value = Buffer.alloc(Number(needed[0]));
    return deviceInfo(object, what, value.length, value, null) === 0 ? value : Buffer.alloc(0);
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
          pci: pciAddress(text(deviceInfo, device, CL_DEVICE_EXTENSIONS), (what) => answer(device, what)),
        };
      },
    ),
  );
}
