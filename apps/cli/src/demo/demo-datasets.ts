import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../context/root.ts';

/** A dataset that ships with vgpu, as examples/datasets/index.json lists it. */
export interface DemoDataset {
  name: string;
  /** File beside index.json. */
  file: string;
  target: string;
  kind: 'classification' | 'regression';
}

export const examples: string = join(root, 'examples');

/**
 * What the demo runs over: classification and regression, clean and dirty; few enough that even two cores carry
 * all of them at once.
 */
const chosen = ['iris', 'breast-cancer', 'diabetes', 'wine-cellar-dirty', 'penguins-field-notes'];

export function demoDatasets(): DemoDataset[] {
  const index = JSON.parse(readFileSync(join(examples, 'datasets/index.json'), 'utf8')) as DemoDataset[];
  return chosen.map((name) => index.find((one) => one.name === name)).filter((one) => one !== undefined);
}

export const datasetFile = (dataset: DemoDataset): string => join(examples, 'datasets', dataset.file);
