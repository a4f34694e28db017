import { join } from 'node:path';

/** Folder of the repository or installation: where `vgpu`, `examples/` and `dist/` are. */
export const root: string = join(import.meta.dirname, '../../../..');
