/** Milliseconds of each frame that may go into drawing charts, so that scrolling stays smooth. */
const share = 5;

const waiting = new Set<() => void>();
let running = false;

function frame(): void {
  const start = performance.now();
  for (const work of waiting) {
    waiting.delete(work);
    work();
    if (performance.now() - start > share) break;
  }
  if (waiting.size > 0) requestAnimationFrame(frame);
  else running = false;
}

/** Does work of drawing in one of the next frames, in turn with all other; answers how to cancel it. */
export function drawSoon(work: () => void): () => void {
  waiting.add(work);
  if (!running) {
    running = true;
    requestAnimationFrame(frame);
  }
  return () => waiting.delete(work);
}
