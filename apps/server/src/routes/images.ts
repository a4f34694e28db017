import type { routes } from '@vgpu/api';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';

export function imageRoutes({ images }: Resources): Handlers<typeof routes.images> {
  return {
    list: async () => ({ items: await images.list() }),
    inspect: ({ params }) => images.inspect(params.image),
    build: async ({ body, reply }) => reply.type('application/x-ndjson').send(images.build(body)),
    remove: ({ params }) => images.remove(params.image),
  };
}
