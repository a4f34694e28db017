import type { Readable } from 'node:stream';
import type { routes } from '@vgpu/api';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';

export function datasetRoutes({ datasets }: Resources): Handlers<typeof routes.datasets> {
  return {
    list: ({ principal, query }) => datasets.list(principal.project, query!),
    add: ({ principal, query, body }) => datasets.add(principal.project, query!, body as Readable),
    check: ({ query, body }) => datasets.check(query!, body as Readable),
    get: ({ principal, params }) => datasets.get(principal.project, params.dataset),
    report: ({ principal, params }) => datasets.report(principal.project, params.dataset),
    preview: ({ principal, params, query }) => datasets.preview(principal.project, params.dataset, query!),
    download: async ({ principal, params, query, reply }) => {
      const { name, stream } = await datasets.open(principal.project, params.dataset, query!.format);
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
        .send(stream);
    },
    remove: ({ principal, params }) => datasets.remove(principal.project, params.dataset),
  };
}
