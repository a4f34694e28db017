/**
 * GPU instance profiles and where they may lie, per product.
 *
 * Source: NVIDIA Multi-Instance GPU User Guide, "Supported MIG Profiles"
 * (https://docs.nvidia.com/datacenter/tesla/mig-user-guide/supported-mig-profiles.html) for names, fractions
 * and counts; starts as `nvidia-smi mig -lgipp` prints them on these products (memory slice indices, see
 * nvmlGpuInstancePlacement_t in the NVML reference).
 */
export interface MigProfile {
  readonly name: string;
  /** Compute slices. */
  readonly compute: number;
  /** Memory slices that it covers. */
  readonly size: number;
  /** Memory slices where it may start. */
  readonly starts: readonly number[];
  /** Most instances at once where fewer than the starts allow. */
  readonly max?: number;
}

export interface MigProduct {
  readonly computeSlices: number;
  readonly memorySlices: number;
  /** By rising size. */
  readonly profiles: readonly MigProfile[];
}

/** A100 and later: 7 compute slices over 8 memory slices; only the memory in the names differs. */
function sevenSlices(one: number, two: number, half: number, whole: number): MigProduct {
  const first = [0, 1, 2, 3, 4, 5, 6];
  return {
    computeSlices: 7,
    memorySlices: 8,
    profiles: [
      { name: `1g.${one}gb`, compute: 1, size: 1, starts: first },
      { name: `1g.${one}gb+me`, compute: 1, size: 1, starts: first, max: 1 },
      { name: `1g.${two}gb`, compute: 1, size: 2, starts: [0, 2, 4, 6] },
      { name: `2g.${two}gb`, compute: 2, size: 2, starts: [0, 2, 4] },
      { name: `3g.${half}gb`, compute: 3, size: 4, starts: [0, 4] },
      { name: `4g.${half}gb`, compute: 4, size: 4, starts: [0] },
      { name: `7g.${whole}gb`, compute: 7, size: 8, starts: [0] },
    ],
  };
}

const A30: MigProduct = {
  computeSlices: 4,
  memorySlices: 4,
  profiles: [
    { name: '1g.6gb', compute: 1, size: 1, starts: [0, 1, 2, 3] },
    { name: '1g.6gb+me', compute: 1, size: 1, starts: [0, 1, 2, 3], max: 1 },
    { name: '2g.12gb', compute: 2, size: 2, starts: [0, 2] },
    { name: '2g.12gb+me', compute: 2, size: 2, starts: [0, 2], max: 1 },
    { name: '4g.24gb', compute: 4, size: 4, starts: [0] },
  ],
};

const A100_40 = sevenSlices(5, 10, 20, 40);
const A100_80 = sevenSlices(10, 20, 40, 80);
const H100_80 = sevenSlices(10, 20, 40, 80);
const H200 = sevenSlices(18, 35, 71, 141);
const B200 = sevenSlices(23, 45, 90, 180);

/** Between the two A100s; reported memory lies some percent below the product's name. */
const A100_SPLIT_BYTES = 60 * 1024 ** 3;

/** The product behind a model name as NVML gives it ("NVIDIA A100-SXM4-80GB"), or undefined where unknown. */
export function migProduct(model: string, vramBytes: number): MigProduct | undefined {
  const name = model.toUpperCase();
  if (name.includes('A30')) return A30;
  if (name.includes('A100')) return vramBytes > A100_SPLIT_BYTES ? A100_80 : A100_40;
  if (name.includes('H100')) return H100_80;
  if (name.includes('H200')) return H200;
  if (name.includes('B200')) return B200;
  return undefined;
}
