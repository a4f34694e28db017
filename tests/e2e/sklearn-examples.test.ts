import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { vgpuCache } from '@vgpu/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer } from './harness/test-server.ts';

const version = '1.9.1';
const cache = join(vgpuCache(process.env, process.getuid?.()), 'scikit-learn-examples');

/** scikit-learn's own examples, none changed; these need no data from the network. */
const examples = [
  'classification/plot_lda.py',
  'cluster/plot_dbscan.py',
  'decomposition/plot_pca_vs_lda.py',
  'ensemble/plot_adaboost_twoclass.py',
  'linear_model/plot_ols_ridge.py',
  'model_selection/plot_confusion_matrix.py',
  'neighbors/plot_classification.py',
  'neural_networks/plot_mlp_training_curves.py',
  'svm/plot_iris_svc.py',
  'tree/plot_tree_regression.py',
];

/** The examples come with the source distribution on PyPI; fetched once, kept in the cache. @returns why not. */
function fetchExamples(): string | undefined {
  const folder = join(cache, `scikit_learn-${version}`);
  if (existsSync(join(folder, 'examples'))) return undefined;
  mkdirSync(cache, { recursive: true });
  // `pip download` of a source distribution would build its metadata first: the index names the file itself.
  const script = `
import os, re, sys, tarfile, urllib.parse, urllib.request
index = os.environ.get('PIP_INDEX_URL', 'https://pypi.org/simple').rstrip('/') + '/scikit-learn/'
with urllib.request.urlopen(index) as answer:
    page = answer.read().decode()
link = re.search(r'href="([^"]*scikit_learn-${version}\\.tar\\.gz[^"]*)"', page).group(1)
target = os.path.join(sys.argv[1], 'sdist.tar.gz')
urllib.request.urlretrieve(urllib.parse.urljoin(index, link), target)
with tarfile.open(target) as tar:
    members = [m for m in tar.getmembers() if '/examples/' in m.name and m.isfile()]
    tar.extractall(sys.argv[1], members=members)
os.remove(target)
`;
  const done = spawnSync('python3', ['-c', script, cache], { encoding: 'utf8' });
  return done.status === 0 ? undefined : `no examples: ${done.stderr.trim().split('\n').at(-1)}`;
}

let server: TestServer;
let missing: string | undefined;
beforeAll(async () => {
  missing = fetchExamples();
  if (!missing) server = await TestServer.start();
});
afterAll(() => server?.close());

test.each(examples)('%s runs unmodified, and its figures are kept', async (example) => {
  expect(missing, 'the examples could not be fetched').toBeUndefined();
  const folder = readdirSync(cache).find((name) => name.startsWith('scikit_learn-'))!;
  const name = example.split('/').at(-1)!;
  const path = server.write(`${example}.d/placeholder`, '').replace(/placeholder$/, name);
  copyFileSync(join(cache, folder, 'examples', example), path);
  const done = await server.vgpu(['run', path, '--memory', '1GiB', '--time', '200s', '--wait', '--json']);
  const task = done.json.tasks[0];
  expect(task.state, JSON.stringify(task.reason)).toBe('COMPLETED');
  const { json } = await server.vgpu(['files', done.json.job, '--json']);
  expect(json.items.some((item: { path: string }) => item.path.endsWith('.png'))).toBe(true);
});
