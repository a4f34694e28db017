import { useSyncExternalStore } from 'react';

/** What a user set for this browser. */
export interface Preferences {
  times: 'relative' | 'absolute';
  logTimes: boolean;
}

const defaults: Preferences = { times: 'relative', logTimes: false };
const place = 'vgpu.preferences';

function read(): Preferences {
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(place) ?? '{}') as Partial<Preferences>) };
  } catch {
    return defaults;
  }
}

let present = read();
const listeners = new Set<() => void>();
const listen = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** One preference and how to set it; kept in this browser. */
export function usePreference<K extends keyof Preferences>(
  name: K,
): [Preferences[K], (value: Preferences[K]) => void] {
  const value = useSyncExternalStore(listen, () => present[name]);
  const set = (next: Preferences[K]) => {
    present = { ...present, [name]: next };
    localStorage.setItem(place, JSON.stringify(present));
    for (const tell of listeners) tell();
  };
  return [value, set];
}
