import { useNow } from './clock.ts';
import { duration } from './figures.ts';

/** How long something took, or has been taking so far. */
export function Elapsed({ from, to }: { from: number | null; to: number | null }) {
  const now = useNow(1000, from !== null && to === null);
  if (from === null) return <span>–</span>;
  return <span className="num">{duration(Math.max(0, (to ?? now) - from))}</span>;
}
