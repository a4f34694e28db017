import { type BuildEvent, type RouteInput, routes, type VgpuClient } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { BuildView } from './build-view.ts';
import { readNdjson } from './read-ndjson.ts';

export interface Built {
  image: string;
  id: string;
}

/**
 * Builds an image on the server and shows the build as it streams: the step with its progress, and the last lines
 * of a step that fails.
 * @throws VgpuError `IMAGE_BUILD_FAILED`, or what else the server reports.
 */
export async function buildImage(
  client: VgpuClient,
  request: RouteInput<typeof routes.images.build>['body'],
  options: { quiet?: boolean } = {},
): Promise<Built> {
  const response = await client.call(routes.images.build, { body: request });
  const view = new BuildView(options.quiet ?? false);
  try {
    for await (const event of readNdjson<BuildEvent>(response)) {
      if (event.type === 'done') return { image: event.image, id: event.id };
      if (event.type === 'error') {
        view.fail();
        throw VgpuError.fromBody(event.error as Parameters<typeof VgpuError.fromBody>[0]);
      }
      view.take(event);
    }
  } finally {
    view.close();
  }
  throw new VgpuError('IMAGE_BUILD_FAILED', {
    image: request.name ?? 'sklearn',
    step: view.step,
    problem: 'the server ended before the build did',
  });
}
