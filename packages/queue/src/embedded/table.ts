/** The one table of the embedded queue. Times are epoch milliseconds; absent lease means nobody holds it. */
export interface QueueMessageTable {
  id: string;
  project: string;
  topic: string;
  payload: string;
  key: string | null;
  /** Grows with every message: the tie-break of equal times. */
  ordinal: number;
  enqueued_at: number;
  visible_at: number;
  lease: string | null;
  deliveries: number;
  max_deliveries: number;
  error: string | null;
  dead_at: number | null;
}

export interface QueueTables {
  queue_messages: QueueMessageTable;
}
