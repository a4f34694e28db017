import { z } from 'zod';
import { route } from '../route.ts';
import * as views from '../views/machine.ts';

const tag = 'Machine';

export const machine = {
  health: route({
    method: 'GET',
    path: '/v1/health',
    summary: 'Whether the server is well',
    tag,
    scope: 'public',
    response: views.health,
  }),
  capacity: route({
    method: 'GET',
    path: '/v1/capacity',
    summary: 'What there is and what is in use',
    tag,
    scope: 'read',
    response: views.capacity,
  }),
  topology: route({
    method: 'GET',
    path: '/v1/topology',
    summary: 'Services, workers and accelerators, fresh from the engine',
    tag,
    scope: 'read',
    response: views.topology,
  }),
  queue: route({
    method: 'GET',
    path: '/v1/queue',
    summary: 'Waiting tasks in order, each with its reason',
    tag,
    scope: 'read',
    response: z.object({ items: z.array(views.queueEntry) }),
  }),
} as const;

export const accelerators = {
  list: route({
    method: 'GET',
    path: '/v1/accelerators',
    summary: 'Accelerators with their slices, live',
    tag,
    scope: 'read',
    response: z.object({ items: z.array(views.accelerator), advice: z.string().nullable() }),
  }),
  history: route({
    method: 'GET',
    path: '/v1/accelerators/:uuid/history',
    summary: 'Readings over the last hour',
    tag,
    scope: 'read',
    params: z.object({ uuid: z.string() }),
    response: views.acceleratorHistory,
  }),
  cordon: route({
    method: 'POST',
    path: '/v1/accelerators/:uuid/cordon',
    summary: 'Take an accelerator out: no new work; with `drain` what runs on it goes back to the queue',
    tag,
    scope: 'admin',
    params: z.object({ uuid: z.string() }),
    body: z.strictObject({
      drain: z.boolean().default(false),
      grace: z
        .number()
        .int()
        .min(0)
        .max(86_400_000)
        .default(0)
        .describe('with `drain`: milliseconds that tasks have to end by themselves once they were asked to'),
      reason: z.string().max(200).optional(),
    }),
    response: views.accelerator,
  }),
  uncordon: route({
    method: 'POST',
    path: '/v1/accelerators/:uuid/uncordon',
    summary: 'Take an accelerator back in, after a fault too',
    tag,
    scope: 'admin',
    params: z.object({ uuid: z.string() }),
    response: views.accelerator,
  }),
  pools: route({
    method: 'GET',
    path: '/v1/pools',
    summary: 'Pools and their sharing settings',
    tag,
    scope: 'read',
    response: z.object({ items: z.array(views.pool) }),
  }),
  setPool: route({
    method: 'PUT',
    path: '/v1/pools/:pool',
    summary: 'Create or change a pool',
    tag,
    scope: 'admin',
    params: z.object({ pool: z.string() }),
    body: views.pool.omit({ name: true }).partial(),
    response: views.pool,
  }),
  removePool: route({
    method: 'DELETE',
    path: '/v1/pools/:pool',
    summary: 'Delete a pool; its accelerators go back to the default one',
    tag,
    scope: 'admin',
    params: z.object({ pool: z.string() }),
    response: 'none',
  }),
} as const;

export const images = {
  list: route({
    method: 'GET',
    path: '/v1/images',
    summary: 'Images with tags and creation times',
    tag,
    scope: 'read',
    response: z.object({ items: z.array(views.image) }),
  }),
  inspect: route({
    method: 'GET',
    path: '/v1/images/:image',
    summary: 'One image',
    tag,
    scope: 'read',
    params: z.object({ image: z.string() }),
    response: views.image.extend({ details: z.record(z.string(), z.unknown()) }),
  }),
  build: route({
    method: 'POST',
    path: '/v1/images/build',
    summary: 'Build an image; progress streams as it goes',
    tag,
    scope: 'admin',
    body: z.strictObject({
      name: z.string().default('sklearn'),
      requirements: z.string().optional(),
      dockerfile: z.string().optional(),
      verify: z.boolean().default(false),
    }),
    response: 'ndjson',
  }),
  remove: route({
    method: 'DELETE',
    path: '/v1/images/:image',
    summary: 'Delete an image that nothing uses',
    tag,
    scope: 'admin',
    params: z.object({ image: z.string() }),
    response: 'none',
  }),
} as const;
