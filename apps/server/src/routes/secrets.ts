import type { routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';

/** Base64 with its padding, and nothing that a decoder would skip. */
function fromBase64(text: string): Buffer {
  const value = Buffer.from(text, 'base64');
  if (value.toString('base64') !== text) {
    throw new VgpuError('BAD_REQUEST', { problem: 'the value is not Base64' });
  }
  return value;
}

export function secretRoutes({ secrets }: Resources): Handlers<typeof routes.secrets> {
  return {
    list: async ({ principal }) => ({ items: await secrets.list(principal.project) }),
    set: async ({ principal, params, body }) => {
      const value = body.encoding === 'base64' ? fromBase64(body.value) : Buffer.from(body.value);
      return secrets.set(principal, params.secret, value);
    },
    remove: ({ principal, params }) => secrets.remove(principal, params.secret),
    rotateKey: ({ principal }) => secrets.rotateKey(principal),
  };
}
