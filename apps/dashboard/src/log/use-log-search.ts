import { useDebouncedValue } from '@mantine/hooks';
import { routes } from '@vgpu/api';
import { useState } from 'react';
import { useRoute } from '../server/use-route.ts';

const most = 5000;

export interface LogSearch {
  text: string;
  setText: (text: string) => void;
  /** Lower case, settled: what is marked. */
  needle: string;
  /** Numbers of the lines found, in order. */
  hits: number[];
  /** True where there are more than were asked for. */
  more: boolean;
  busy: boolean;
  /** Place in `hits` of the line in view; -1 before the first step. */
  at: number;
  step: (by: number) => number | undefined;
}

/** Searches the whole log on the server; `step` goes to the next or the former line found. */
export function useLogSearch(task: string, open: boolean): LogSearch {
  const [text, setText] = useState('');
  const [at, setAt] = useState(-1);
  const [settled] = useDebouncedValue(text.trim(), 200);
  const found = useRoute(
    routes.tasks.logs,
    { params: { task }, query: { from: 0, limit: most, search: settled } },
    { enabled: settled.length > 0, every: open && settled ? 4000 : undefined },
  );
  const hits = settled && found.data ? found.data.items.map((line) => line.seq) : [];
  return {
    text,
    setText: (next) => {
      setText(next);
      setAt(-1);
    },
    needle: settled.toLowerCase(),
    hits,
    more: hits.length >= most,
    busy: found.isFetching && settled.length > 0 && !found.data,
    at,
    step: (by) => {
      if (hits.length === 0) return undefined;
      const next = at < 0 && by < 0 ? hits.length - 1 : (at + by + hits.length) % hits.length;
      setAt(next);
      return hits[next];
    },
  };
}
