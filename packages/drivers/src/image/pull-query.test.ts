import { expect, test } from 'vitest';
import { isRemote } from '../docker/launch-worker.ts';
import { pullQuery } from './image-store.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

test.each([
  ['python', { fromImage: 'python', tag: 'latest' }],
  ['python:3.12-slim', { fromImage: 'python', tag: '3.12-slim' }],
  ['localhost:5000/x', { fromImage: 'localhost:5000/x', tag: 'latest' }],
  ['localhost:5000/a/x:v1', { fromImage: 'localhost:5000/a/x', tag: 'v1' }],
  [`localhost:5000/x@${digest}`, { fromImage: `localhost:5000/x@${digest}` }],
  [`localhost:5000/x:v1@${digest}`, { fromImage: `localhost:5000/x@${digest}` }],
])('%s is asked for as it is meant', (reference, query) => {
  expect(pullQuery(reference)).toEqual(query);
});

test('only what a registry may have is looked for there', () => {
  for (const image of ['python:3.12', 'ghcr.io/a/b', `localhost:5000/x@${digest}`])
    expect(isRemote(image), image).toBe(true);
  for (const image of ['sklearn', 'vgpu/sklearn:latest', digest]) expect(isRemote(image), image).toBe(false);
});
