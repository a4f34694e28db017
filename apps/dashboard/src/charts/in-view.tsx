import { type ReactNode, useEffect, useRef, useState } from 'react';
import { drawSoon } from './draw-queue.ts';

/** Makes its children only once it comes near the view, and keeps their place until then. */
export function InView({ height, children }: { height: number; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (seen || !place.current) return;
    let cancel: (() => void) | undefined;
    const watch = new IntersectionObserver(
      ([entry]) => {
        cancel?.();
        if (entry?.isIntersecting) cancel = drawSoon(() => setSeen(true));
      },
      { rootMargin: '200px' },
    );
    watch.observe(place.current);
    return () => {
      cancel?.();
      watch.disconnect();
    };
  }, [seen]);
  return (
    <div ref={place} style={{ minHeight: height }}>
      {seen ? children : null}
    </div>
  );
}
