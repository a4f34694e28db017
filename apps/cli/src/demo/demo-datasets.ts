import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../context/root.ts';

/** A dataset that ships with vgpu, as examples/datasets/index.json lists it. */
export interface DemoDataset {
  name: string;
  /** File beside index.json. */
  file: string;
  target: string;
  task: 'classification' | 'regression';
}

export const examples: string = join(root, 'examples');

export function demoDatasets(): DemoDataset[] {
  const index = JSON.parse(readFileSync(join(examples, 'datasets/index.json'), 'utf8')) as
    | DemoDataset[]
    | { datasets: DemoDataset[] };
  return Array.isArray(index) ? index : index.datasets;
}

export const datasetFile = (dataset: DemoDataset): string => join(examples, 'datasets', dataset.file);
