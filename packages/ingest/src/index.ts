export { type CheckOptions, checkFile } from './check-file.ts';
export { resolveClean, validateClean } from './clean-options.ts';
export { cleanerVersion } from './cleaner-version.ts';
export { type ImportOptions, importFile, readVersion, versionHash } from './import-file.ts';
export { columnStats, type Preview, type PreviewOptions, previewVersion } from './preview-version.ts';
export type * from './result.ts';
export { sweepUnfinished } from './unfinished.ts';
