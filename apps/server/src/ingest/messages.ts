import type { ErrorBody } from '@vgpu/core';
import type { CheckOptions, ImportOptions, PreviewOptions } from '@vgpu/ingest';

export type IngestWork =
  | { kind: 'check'; path: string; options: Omit<CheckOptions, 'signal'> }
  | { kind: 'import'; path: string; options: Omit<ImportOptions, 'signal'> }
  | { kind: 'preview'; path: string; options: PreviewOptions }
  | { kind: 'stats'; path: string };

export type IngestRequest = IngestWork & { id: number };

export type IngestAnswer = { id: number; value?: unknown; error?: ErrorBody };
