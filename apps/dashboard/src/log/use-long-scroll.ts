import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { longScroll, moved, toPhysical } from './long-scroll.ts';

export const rowHeight = 20;
const spare = 12;

export interface Rows {
  first: number;
  end: number;
  /** Pixels from the top of the physical area to the first row. */
  offset: number;
  physicalHeight: number;
  following: boolean;
  follow: (on: boolean) => void;
  showRow: (row: number) => void;
  onScroll: () => void;
}

/** Which of `count` rows are in view, with the end kept in view while `following`. */
export function useLongScroll(area: RefObject<HTMLDivElement | null>, count: number): Rows {
  const [viewport, setViewport] = useState(400);
  const [top, setTop] = useState(0);
  const [following, setFollowing] = useState(true);
  const physical = useRef(0);
  const settle = useRef<ReturnType<typeof setTimeout>>(undefined);
  const scroll = longScroll(count, rowHeight, viewport);
  const limit = Math.max(0, scroll.virtualHeight - viewport);
  const shown = following ? limit : Math.min(top, limit);
  const now = useRef({ scroll, shown, limit, following });
  now.current = { scroll, shown, limit, following };

  useLayoutEffect(() => {
    const box = area.current;
    if (!box) return;
    const watch = new ResizeObserver(() => setViewport(box.clientHeight || 400));
    watch.observe(box);
    return () => watch.disconnect();
  }, [area]);

  const place = useCallback(
    (at: number) => {
      const box = area.current;
      if (!box) return;
      physical.current = at;
      if (Math.abs(box.scrollTop - at) > 0.5) box.scrollTop = at;
      physical.current = box.scrollTop;
    },
    [area],
  );

  // While following, each new line moves the bar to its end, before the browser paints; unless somebody has moved it
  // meanwhile, whose scroll event is still to come.
  useLayoutEffect(() => {
    const box = area.current;
    if (following && box && Math.abs(box.scrollTop - physical.current) < 1) place(toPhysical(scroll, limit));
  });

  useEffect(() => () => clearTimeout(settle.current), []);

  const onScroll = useCallback(() => {
    const box = area.current;
    if (!box) return;
    const to = box.scrollTop;
    const { scroll: at, shown: from, following: pinned } = now.current;
    if (Math.abs(to - physical.current) < 1) return; // our own doing, or sideways
    const next = moved(at, from, physical.current, to);
    physical.current = to;
    // Asked of the element itself: the area may have grown since the last rendering.
    const atEnd = to + box.clientHeight >= box.scrollHeight - 2;
    if (atEnd !== pinned) setFollowing(atEnd);
    now.current.shown = next;
    setTop(next);
    clearTimeout(settle.current);
    settle.current = setTimeout(() => {
      if (!now.current.following) place(toPhysical(now.current.scroll, now.current.shown));
    }, 200);
  }, [area, place]);

  const follow = useCallback(
    (on: boolean) => {
      const { scroll: at, limit: most, shown: present } = now.current;
      setTop(present);
      setFollowing(on);
      if (on) place(toPhysical(at, most));
    },
    [place],
  );

  const showRow = useCallback(
    (row: number) => {
      const { scroll: at, limit: most } = now.current;
      const target = Math.max(0, Math.min(most, row * rowHeight - at.viewport / 2));
      setFollowing(false);
      setTop(target);
      place(toPhysical(at, target));
    },
    [place],
  );

  const first = Math.max(0, Math.floor(shown / rowHeight) - spare);
  const end = Math.min(count, Math.ceil((shown + viewport) / rowHeight) + spare);
  const from = following ? toPhysical(scroll, limit) : physical.current;
  const offset = from - shown + first * rowHeight;
  return { first, end, offset, physicalHeight: scroll.physicalHeight, following, follow, showRow, onScroll };
}
