// The one list of entry points. From it `generate.ts` makes the hook table, the prototypes and the bodies of the
// uniform hooks, and the tests check that every symbol of the driver API has exactly one disposition.

/**
 * Parameter types, one letter each: p pointer or handle, d device pointer, s stream, z size_t, q 64-bit, u unsigned,
 * i int, h unsigned short, b unsigned char.
 */
export type Signature = string;

export type Hook =
  /**
   * device work: passes the gate; `key` is the index of the parameter that names the kernel or graph, `grid` that of
   * the first of three dimensions (how long a kernel takes depends on them), `parameters` that of the pointers to
   * what a kernel is given (device pointers among an entry point's own parameters are seen anyway)
   */
  | {
      readonly kind: 'work';
      readonly signature: Signature;
      readonly key?: number;
      readonly grid?: number;
      readonly parameters?: number;
    }
  /** written by hand in limiter/cuda (`<symbol>` there is named `hook_<symbol>`) */
  | { readonly kind: 'own'; readonly signature: Signature };

const work = (signature: Signature, key?: number, grid?: number, parameters?: number): Hook => ({
  kind: 'work',
  signature,
  ...(key === undefined ? {} : { key }),
  ...(grid === undefined ? {} : { grid }),
  ...(parameters === undefined ? {} : { parameters }),
});
const own = (signature: Signature): Hook => ({ kind: 'own', signature });

/** Hooked symbols without their _ptsz and _ptds variants, which have the same signature and are hooked alike. */
export const hooks: Readonly<Record<string, Hook>> = {
  // Start-up and symbol lookup
  cuInit: own('u'),
  cuGetProcAddress: own('ppiq'),
  cuGetProcAddress_v2: own('ppiqp'),
  cuGetExportTable: own('pp'),
  // Contexts: what the driver takes for one is counted
  cuCtxCreate: own('pui'),
  cuCtxCreate_v2: own('pui'),
  cuCtxCreate_v3: own('ppiui'),
  cuCtxCreate_v4: own('ppui'),
  cuCtxDestroy: own('p'),
  cuCtxDestroy_v2: own('p'),
  cuDevicePrimaryCtxRetain: own('pi'),
  cuDevicePrimaryCtxRelease: own('i'),
  cuDevicePrimaryCtxRelease_v2: own('i'),
  cuDevicePrimaryCtxReset: own('i'),
  cuDevicePrimaryCtxReset_v2: own('i'),
  cuGreenCtxCreate: own('ppiu'),
  cuGreenCtxDestroy: own('p'),
  cuCtxSetLimit: own('iz'),
  // Modules and libraries: likewise
  cuModuleLoad: own('pp'),
  cuModuleLoadData: own('pp'),
  cuModuleLoadDataEx: own('ppupp'),
  cuModuleLoadFatBinary: own('pp'),
  cuModuleUnload: own('p'),
  cuLibraryLoadData: own('ppppuppu'),
  cuLibraryLoadFromFile: own('ppppuppu'),
  cuLibraryUnload: own('p'),
  // What is reported
  cuMemGetInfo_v2: own('pp'),
  cuDeviceTotalMem_v2: own('pi'),
  // Memory
  cuMemAlloc_v2: own('pz'),
  cuMemAllocPitch_v2: own('ppzzu'),
  cuMemAllocManaged: own('pzu'),
  cuMemFree_v2: own('d'),
  cuMemAllocAsync: own('pzs'),
  cuMemAllocFromPoolAsync: own('pzps'),
  cuMemFreeAsync: own('ds'),
  cuMemPoolCreate: own('pp'),
  cuMemPoolDestroy: own('p'),
  cuMemCreate: own('pzpq'),
  cuMemRelease: own('q'),
  cuMemRetainAllocationHandle: own('pp'),
  cuArrayCreate_v2: own('pp'),
  cuArray3DCreate_v2: own('pp'),
  cuArrayDestroy: own('p'),
  cuMipmappedArrayCreate: own('ppu'),
  cuMipmappedArrayDestroy: own('p'),
  cuImportExternalMemory: own('pp'),
  cuDestroyExternalMemory: own('p'),
  // Graphs: their memory when mapped, which is when they are launched or uploaded; their work when launched
  cuGraphInstantiate: own('ppppz'),
  cuGraphInstantiate_v2: own('ppppz'),
  cuGraphInstantiateWithFlags: own('ppq'),
  cuGraphInstantiateWithParams: own('ppp'),
  cuGraphExecDestroy: own('p'),
  cuGraphLaunch: own('ps'),
  cuGraphUpload: own('ps'),
  cuDeviceGraphMemTrim: own('i'),
  // Capture: work in a captured stream is not work
  cuStreamBeginCapture: own('s'),
  cuStreamBeginCapture_v2: own('si'),
  cuStreamBeginCaptureToGraph: own('spppzi'),
  cuStreamBeginRecaptureToGraph: own('sippp'),
  cuStreamBeginCaptureToCig: own('sp'),
  cuStreamEndCapture: own('sp'),
  cuStreamEndCaptureToCig: own('s'),
  cuStreamDestroy: own('s'),
  cuStreamDestroy_v2: own('s'),
  // Kernels
  cuLaunchKernel: work('puuuuuuuspp', 0, 1, 9),
  cuLaunchKernelEx: own('pppp'),
  cuLaunchCooperativeKernel: work('puuuuuuusp', 0, 1, 9),
  cuLaunchCooperativeKernelMultiDevice: own('puu'),
  cuLaunch: work('p', 0),
  cuLaunchGrid: work('pii', 0),
  cuLaunchGridAsync: work('piis', 0),
  // Work that runs without a kernel of the caller's
  cuMemsetD8_v2: work('dbz'),
  cuMemsetD16_v2: work('dhz'),
  cuMemsetD32_v2: work('duz'),
  cuMemsetD2D8_v2: work('dzbzz'),
  cuMemsetD2D16_v2: work('dzhzz'),
  cuMemsetD2D32_v2: work('dzuzz'),
  cuMemsetD8Async: work('dbzs'),
  cuMemsetD16Async: work('dhzs'),
  cuMemsetD32Async: work('duzs'),
  cuMemsetD2D8Async: work('dzbzzs'),
  cuMemsetD2D16Async: work('dzhzzs'),
  cuMemsetD2D32Async: work('dzuzzs'),
  cuMemcpy: work('ddz'),
  cuMemcpyAsync: work('ddzs'),
  cuMemcpyPeer: work('dpdpz'),
  cuMemcpyPeerAsync: work('dpdpzs'),
  cuMemcpyDtoD_v2: work('ddz'),
  cuMemcpyDtoDAsync_v2: work('ddzs'),
  cuMemcpyDtoA_v2: work('pzdz'),
  cuMemcpyAtoD_v2: work('dpzz'),
  cuMemcpyAtoA_v2: work('pzpzz'),
  cuMemcpy2D_v2: work('p'),
  cuMemcpy2DUnaligned_v2: work('p'),
  cuMemcpy2DAsync_v2: work('ps'),
  cuMemcpy3D_v2: work('p'),
  cuMemcpy3DAsync_v2: work('ps'),
  cuMemcpy3DPeer: work('p'),
  cuMemcpy3DPeerAsync: work('ps'),
  cuMemcpyBatchAsync: work('pppzppzps'),
  cuMemcpyBatchAsync_v2: work('pppzppzs'),
  cuMemcpy3DBatchAsync: work('zppqs'),
  cuMemcpy3DBatchAsync_v2: work('zpqs'),
  cuMemcpyWithAttributesAsync: work('ddzps'),
  cuMemcpy3DWithAttributesAsync: work('pqs'),
  cuMemBatchDecompressAsync: work('pzups'),
};

/** NVML functions that report a slice instead of the device. */
export const nvmlHooks: Readonly<Record<string, Signature>> = {
  nvmlDeviceGetMemoryInfo: 'pp',
  nvmlDeviceGetMemoryInfo_v2: 'pp',
  nvmlDeviceGetUtilizationRates: 'pp',
  nvmlDeviceGetComputeRunningProcesses: 'ppp',
  nvmlDeviceGetComputeRunningProcesses_v2: 'ppp',
  nvmlDeviceGetComputeRunningProcesses_v3: 'ppp',
  nvmlDeviceGetGraphicsRunningProcesses: 'ppp',
  nvmlDeviceGetGraphicsRunningProcesses_v2: 'ppp',
  nvmlDeviceGetGraphicsRunningProcesses_v3: 'ppp',
  nvmlDeviceGetProcessUtilization: 'pppq',
};

/** OpenCL commands that pass the gate: parameters after the queue; `key` counts from the queue (0). */
export const openclWork: Readonly<Record<string, { readonly signature: Signature; readonly key?: number }>> =
  {
    clEnqueueNDRangeKernel: { signature: 'ppupppupp', key: 1 },
    clEnqueueTask: { signature: 'ppupp', key: 1 },
    clEnqueueCopyBuffer: { signature: 'pppzzzupp' },
    clEnqueueCopyBufferRect: { signature: 'ppppppzzzzupp' },
    clEnqueueCopyImage: { signature: 'ppppppupp' },
    clEnqueueCopyImageToBuffer: { signature: 'pppppzupp' },
    clEnqueueCopyBufferToImage: { signature: 'pppzppupp' },
    clEnqueueFillBuffer: { signature: 'pppzzzupp' },
    clEnqueueFillImage: { signature: 'pppppupp' },
    clEnqueueSVMMemFill: { signature: 'pppzzupp' },
    clEnqueueSVMMemcpy: { signature: 'puppzupp' },
  };

/** OpenCL entry points with a hook of their own in limiter/opencl. */
export const openclOwn: readonly string[] = [
  'clGetDeviceInfo',
  'clReleaseCommandQueue',
  'clCreateBuffer',
  'clCreateBufferWithProperties',
  'clCreateImage',
  'clCreateImageWithProperties',
  'clCreateImage2D',
  'clCreateImage3D',
  'clCreatePipe',
  'clSVMAlloc',
  'clSVMFree',
  'clEnqueueSVMFree',
  'clGetExtensionFunctionAddress',
  'clGetExtensionFunctionAddressForPlatform',
];

/** Symbols that a process under a slice does not get: lookups fail, calls return CUDA_ERROR_NOT_SUPPORTED. */
export const refused: readonly { readonly match: RegExp; readonly reason: string }[] = [
  {
    match:
      /^cu(MemAlloc|MemAllocPitch|MemFree|MemGetInfo|DeviceTotalMem|ArrayCreate|Array3DCreate|MemsetD(2D)?(8|16|32)|Memcpy(2D|2DUnaligned|3D|2DAsync|3DAsync|DtoD|DtoDAsync|DtoA|AtoD|AtoA))$/,
    reason: 'entry points of CUDA 3.1 and earlier, whose sizes and pointers have 32 bits',
  },
  {
    match: /^cuMulticast(Create|AddDevice|BindAddr|BindMem)(_v2)?$/,
    reason: 'memory shared by several devices has no account that it could be charged to',
  },
  {
    match: /^cuLogicalEndpoint/,
    reason: 'endpoints export memory beyond the slice',
  },
  {
    match: /^cuFabricCpyBatchAsync$/,
    reason: 'copies through the fabric run on devices outside the slice',
  },
  {
    match: /^cuCheckpointProcess(Lock|Checkpoint|Restore|Unlock)$|^cuCheckpointOperationComplete$/,
    reason:
      'a checkpoint moves device memory behind the account; whoever checkpoints does it from outside the slice',
  },
];

/** Symbols that need no hook, by rule; the first rule that matches counts. */
export const harmless: readonly { readonly match: RegExp; readonly reason: string }[] = [
  {
    match: /^cuMemcpy(HtoD|DtoH|HtoA|AtoH)/,
    reason: 'copies between host and device run on the copy engines, beside the kernels of other contexts',
  },
  {
    match: /^cuMem(Prefetch|Advise|Discard)/,
    reason: 'moves pages of managed memory that is counted already',
  },
  {
    match: /^cuMem(AllocHost|HostAlloc|HostRegister|HostUnregister|FreeHost|HostGet)/,
    reason: 'host memory',
  },
  {
    match: /^cuMem(AddressReserve|AddressFree|Map|Unmap|SetAccess|GetAccess|MapArrayAsync)/,
    reason: 'addresses for memory that cuMemCreate counted',
  },
  {
    match: /^cuMem(ImportFromShareableHandle|PoolImport)|^cuIpc(OpenMemHandle|CloseMemHandle|GetMemHandle)/,
    reason: 'memory of another process, counted where it was allocated',
  },
  {
    match: /^cuMem(ExportToShareableHandle|PoolExport|GetHandleForAddressRange)/,
    reason: 'hands out memory that is counted',
  },
  {
    match:
      /^cuMem(Pool(Trim|Set|Get)|Get(DefaultMemPool|MemPool)|SetMemPool)|^cuDevice(GetDefaultMemPool|GetMemPool|SetMemPool)/,
    reason: 'settings of a pool; what it keeps is measured as overhead',
  },
  { match: /^cuMem(Get(AddressRange|Allocation|LocationInfo)|RangeGet)/, reason: 'a query' },
  {
    match:
      /^cuGraph(Add|Exec|Clone|Create|Destroy|Instantiate|Upload|Kernel|Mem|Memcpy|Memset|Host|Event|External|Batch|Child|Node|Get|Remove|Retain|Release|Conditional|Debug)/,
    reason:
      'builds or inspects a graph: its memory is counted, and its work passes the gate, when it is launched',
  },
  {
    match: /^cuDevice(GraphMemTrim|GetGraphMem|SetGraphMem)/,
    reason: 'gives graph memory back to the device',
  },
  {
    match: /^cuStream(Wait|Write|BatchMemOp)|^cu(Signal|Wait)ExternalSemaphores/,
    reason: 'front-end operation that occupies no multiprocessor',
  },
  {
    match: /^cuStream(AddCallback|Attach|Copy|Create|Get|Set|Is|Query|Synchronize|Update)/,
    reason: 'creates, orders, inspects or waits for streams',
  },
  { match: /^cuLaunchHostFunc/, reason: 'runs on the host' },
  { match: /^cuEvent/, reason: 'marks and waits' },
  {
    match: /^cuCtx(Attach|Detach|Disable|Enable|From|Get|Pop|Push|Record|Reset|Set|Synchronize|Wait)/,
    reason: 'selects, configures or waits for a context that is counted',
  },
  { match: /^cuGreenCtx|^cuDevSm|^cuDevResource/, reason: 'partitions a context that is counted' },
  { match: /^cuDevice/, reason: 'query or setting of a device' },
  {
    match: /^cu(Driver|GetError|Profiler|Coredump|Logs|UserObject|Thread|Flush|Checkpoint)/,
    reason: 'neither memory nor work',
  },
  {
    match: /^cu(Func|Kernel|Module|Library|Link|Occupancy|Param)/,
    reason: 'inspects or configures code that is loaded',
  },
  {
    match: /^cu(Array|MipmappedArray|Pointer|External|Import|Destroy|Multicast|Ipc)/,
    reason: 'query, or an object without device memory of its own',
  },
  { match: /^cu(Tex|Surf|Tensor)/, reason: 'describes memory that is counted' },
  {
    match: /^cuGraphics/,
    reason: 'maps memory of a graphics API, which is outside the limiter (see docs/limiter.md)',
  },
];

export type Disposition =
  | { readonly kind: 'hooked' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'harmless'; readonly reason: string };

const unsuffixed = (symbol: string): string => symbol.replace(/_(ptsz|ptds)$/, '');

/** The hook of a symbol, its stream variants included. */
export function hookOf(symbol: string): Hook | undefined {
  return hooks[unsuffixed(symbol)];
}

/** What becomes of a symbol of the driver API. Throws for one that nobody thought about. */
export function dispositionOf(symbol: string): Disposition {
  if (hookOf(symbol)) return { kind: 'hooked' };
  const no = refused.find((r) => r.match.test(unsuffixed(symbol)));
  if (no) return { kind: 'refused', reason: no.reason };
  const fine = harmless.find((r) => r.match.test(symbol));
  if (fine) return { kind: 'harmless', reason: fine.reason };
  throw new Error(`${symbol} has no disposition: add it to native/gen/entrypoints.ts`);
}
