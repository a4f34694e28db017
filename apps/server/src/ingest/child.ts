import { VgpuError } from '@vgpu/core';
import {
  type CheckOptions,
  checkFile,
  columnStats,
  type ImportOptions,
  importFile,
  previewVersion,
} from '@vgpu/ingest';
import type { IngestAnswer, IngestRequest } from './messages.ts';

/**
 * The process that reads users' files. It is another one than the server so that a file which brings DuckDB or
 * the reader down hurts nobody else, and so that their memory goes back to the system afterwards.
 */
async function answer(request: IngestRequest): Promise<unknown> {
  switch (request.kind) {
    case 'check':
      return checkFile(request.path, request.options as CheckOptions);
    case 'import':
      return importFile(request.path, request.options as ImportOptions);
    case 'preview':
      return previewVersion(request.path, request.options);
    case 'stats':
      return columnStats(request.path);
  }
}

process.on('message', (request: IngestRequest) => {
  answer(request)
    .then(
      (value): IngestAnswer => ({ id: request.id, value }),
      (error: unknown): IngestAnswer => ({
        id: request.id,
        error:
          error instanceof VgpuError
            ? error.toBody()
            : new VgpuError('INTERNAL', { problem: (error as Error).message, request: '-' }).toBody(),
      }),
    )
    .then((reply) => process.send?.(reply));
});
// The server ended without asking us to: so do we.
process.on('disconnect', () => process.exit(0));
