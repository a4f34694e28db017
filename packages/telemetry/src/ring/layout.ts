/** Layout of the ring file; the writer is worker/runtime/vgpu_ring.py. All numbers little-endian. */

export const MAGIC = 'VGPURING';
export const VERSION = 1;
export const HEADER_SIZE = 4096;
/** Bytes of the header that are read: everything up to and including the mark. */
export const HEADER_READ = 152;
export const DEFAULT_CAPACITY = 4 * 1024 * 1024;
/** A larger file is refused before anything is allocated. */
export const MAX_CAPACITY = 256 * 1024 * 1024;
export const MIN_CAPACITY = 256 * 1024;

export const OFFSET = {
  magic: 0,
  version: 8,
  headerSize: 12,
  capacity: 16,
  head: 64,
  headCheck: 72,
  droppedRecords: 80,
  droppedBytes: 88,
  closed: 96,
  tail: 128,
  tailCheck: 136,
  mark: 144,
} as const;

/** A position is stored twice, the second time xor this, so that neither side takes a torn value. */
export const CHECK = 0x9e3779b97f4a7c15n;
/** A record's mark is the low 32 bits of its position xor this. */
export const MARK = 0x52474e31;

/** Record header: u32 length, u8 type, u8 flags, u16 reserved, u64 time ns, u32 crc32, u32 mark. */
export const RECORD_SIZE = 24;
export const MAX_PAYLOAD = 128 * 1024;

export const RECORD_TYPE = { stdout: 1, stderr: 2, event: 3, control: 4, dropped: 5 } as const;
export type RecordKind = keyof typeof RECORD_TYPE;
/** Index = type byte. */
export const KIND_OF: readonly (RecordKind | undefined)[] = [
  undefined,
  'stdout',
  'stderr',
  'event',
  'control',
  'dropped',
];

/** Bytes that a record with this payload takes: header plus payload, rounded up to 8. */
export const recordSpan = (length: number): number => (RECORD_SIZE + length + 7) & ~7;
