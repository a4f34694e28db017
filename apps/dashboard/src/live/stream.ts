import { useSyncExternalStore } from 'react';
import { queryClient } from '../server/query-client.ts';
import { StreamSocket, type StreamStatus } from './socket.ts';

/** The page's stream, at /v1/stream of the server that sent the page. */
export const stream = new StreamSocket({
  url: () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/stream`,
});

// What changed while the line was down is read again; logs resume by their offset.
stream.onResumed(() => void queryClient.invalidateQueries());
addEventListener('online', () => stream.retryNow());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') stream.retryNow();
});

export function useStreamStatus(): StreamStatus {
  return useSyncExternalStore(stream.onStatus, () => stream.status);
}
