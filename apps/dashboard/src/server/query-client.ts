import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { VgpuError } from '@vgpu/core';

type Listener = () => void;
const signedOut = new Set<Listener>();

/** Calls `listener` whenever the server says that the session is no longer valid. */
export function onSignedOut(listener: Listener): () => void {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

function watch(error: unknown): void {
  if (error instanceof VgpuError && error.code === 'UNAUTHENTICATED') for (const tell of signedOut) tell();
}

/** Only what another try may cure is tried again: a server that is restarting, a proxy that hiccups. */
const worthRetrying = (failures: number, error: unknown): boolean =>
  failures < 2 && !(error instanceof VgpuError && error.status < 500);

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: watch }),
  mutationCache: new MutationCache({ onError: watch }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: worthRetrying,
      retryDelay: (n) => 500 * 2 ** n,
      networkMode: 'always',
    },
    mutations: { retry: false, networkMode: 'always' },
  },
});
