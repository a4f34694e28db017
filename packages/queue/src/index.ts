export { EmbeddedQueue, enqueueWithin, type QueueDatabase } from './embedded/embedded-queue.ts';
export type { QueueMessageTable, QueueTables } from './embedded/table.ts';
export type * from './work-queue.ts';
