import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const tell of listeners) tell();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const never = () => () => undefined;

/**
 * The time, in milliseconds since 1970, rounded down to `step`: a component renders again only when that changes.
 * One timer serves the whole page.
 */
export function useNow(step = 1000, running = true): number {
  const read = () => {
    const fresh = Date.now();
    if (fresh - now > 1000 || listeners.size === 0) now = fresh;
    return Math.floor(now / step) * step;
  };
  return useSyncExternalStore(running ? listen : never, read);
}
