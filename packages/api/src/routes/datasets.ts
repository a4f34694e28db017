import { z } from 'zod';
import { route } from '../route.ts';
import { pageQuery } from '../views/common.ts';
import * as views from '../views/dataset.ts';

const tag = 'Datasets';
/** `dataset` may be an id, a name, or `name@version` (number or start of the hash). */
const byDataset = z.object({ dataset: z.string() });

export const datasets = {
  list: route({
    method: 'GET',
    path: '/v1/datasets',
    summary: 'List datasets',
    tag,
    scope: 'read',
    query: pageQuery,
    response: views.datasetPage,
  }),
  add: route({
    method: 'POST',
    path: '/v1/datasets',
    summary: 'Import a file: clean it and keep it as a version',
    tag,
    scope: 'write',
    query: views.importQuery,
    body: 'stream',
    response: views.importResult,
  }),
  check: route({
    method: 'POST',
    path: '/v1/datasets/check',
    summary: 'Say what cleaning would do to a file, without keeping it',
    tag,
    scope: 'write',
    query: views.importQuery,
    body: 'stream',
    response: views.cleaningReport,
  }),
  get: route({
    method: 'GET',
    path: '/v1/datasets/:dataset',
    summary: 'One dataset with its versions',
    tag,
    scope: 'read',
    params: byDataset,
    response: views.dataset,
  }),
  report: route({
    method: 'GET',
    path: '/v1/datasets/:dataset/report',
    summary: 'The cleaning report of a version, with column statistics',
    tag,
    scope: 'read',
    params: byDataset,
    response: views.cleaningReport,
  }),
  preview: route({
    method: 'GET',
    path: '/v1/datasets/:dataset/preview',
    summary: 'Rows of a version',
    tag,
    scope: 'read',
    params: byDataset,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(1000).default(50),
      offset: z.coerce.number().int().min(0).default(0),
    }),
    response: views.tablePreview,
  }),
  download: route({
    method: 'GET',
    path: '/v1/datasets/:dataset/download',
    summary: 'A version’s file',
    tag,
    scope: 'read',
    params: byDataset,
    query: z.object({ format: z.enum(['csv', 'parquet', 'original', 'rejected']).default('csv') }),
    response: 'stream',
  }),
  remove: route({
    method: 'DELETE',
    path: '/v1/datasets/:dataset',
    summary: 'Delete a dataset, or one version of it',
    tag,
    scope: 'write',
    params: byDataset,
    response: 'none',
  }),
} as const;
