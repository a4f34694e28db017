export { createRing, type RingOptions } from './ring/create.ts';
export { DEFAULT_CAPACITY, type RecordKind } from './ring/layout.ts';
export { type RingConsumer, RingPoller } from './ring/poller.ts';
export { openRing, RingReader, type RingStats } from './ring/reader.ts';
export { type ControlMessage, RingCorrupted, type RingRecord } from './ring/record.ts';
export { type Assembled, LineAssembler } from './terminal/lines.ts';
export type * from './types.ts';
