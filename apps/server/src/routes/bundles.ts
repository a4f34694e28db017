import type { Readable } from 'node:stream';
import type { routes } from '@vgpu/api';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';
import { argparseForm } from '../systems/argparse-form.ts';

export function bundleRoutes({ bundles }: Resources): Handlers<typeof routes.bundles> {
  return {
    exists: async ({ principal, params }) => {
      await bundles.get(principal.project, params.hash);
    },
    put: ({ principal, params, body }) => bundles.put(principal.project, params.hash, body as Readable),
    form: async ({ principal, params, query }) => {
      await bundles.get(principal.project, params.hash);
      return { items: argparseForm(await bundles.script(params.hash, query!.script)) };
    },
  };
}
