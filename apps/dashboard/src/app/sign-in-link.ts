import { routes } from '@vgpu/api';
import { client } from '../server/client.ts';

let running: Promise<void> | null = null;

/**
 * Signs in by the link that `vgpu up` prints, `/#token=…`, and takes the token out of the address at once, so that
 * it stays in no history. A token that does not hold leaves the visitor signed out.
 */
export function signInByLink(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return running ?? Promise.resolve();
  history.replaceState(history.state, '', location.pathname + location.search);
  running = client
    .call(routes.access.signIn, { body: { token } })
    .then(() => undefined)
    .catch(() => undefined);
  return running;
}
