import { Tooltip } from '@mantine/core';
import { usePreference } from '../app/preferences.ts';
import { useNow } from './clock.ts';

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** `3 minutes ago`, `in 2 hours`, `yesterday`; within ten seconds `just now`. */
export function relativeTime(at: number, now: number): string {
  const distance = at - now;
  if (Math.abs(distance) < 10_000) return distance > 2000 ? 'in a moment' : 'just now';
  for (const [unit, length] of steps) {
    if (Math.abs(distance) >= length) return relative.format(Math.trunc(distance / length), unit);
  }
  return 'just now';
}

/** Date and time in the user's zone and language, with the zone's name. */
export function absoluteTime(at: number): string {
  return new Date(at).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'medium',
  });
}

const shortTime = (at: number) =>
  new Date(at).toLocaleString(undefined, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });

/** A moment: relative, with the full time in the user's zone on hover; or the other way round, by preference. */
export function When({ at, fallback = '–' }: { at: number | null | undefined; fallback?: string }) {
  const [times] = usePreference('times');
  const now = useNow(5000, at != null);
  if (at === null || at === undefined) return <span>{fallback}</span>;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const spoken = relativeTime(at, now);
  return (
    <Tooltip label={`${absoluteTime(at)} (${zone}) · ${spoken}`}>
      <time dateTime={new Date(at).toISOString()} style={{ whiteSpace: 'nowrap' }}>
        {times === 'absolute' ? shortTime(at) : spoken}
      </time>
    </Tooltip>
  );
}
