/**
 * The arithmetic of a scroll area that is longer than a browser can draw (Firefox stops at 17.9 million pixels).
 * The physical area is capped; what is shown is the virtual top. Small movements are exact to the pixel, jumps of
 * the scroll bar are proportional.
 */
export interface LongScroll {
  /** Pixels of all rows. */
  virtualHeight: number;
  /** Pixels that the element really has. */
  physicalHeight: number;
  viewport: number;
}

export const physicalLimit = 8_000_000;

export const longScroll = (rows: number, rowHeight: number, viewport: number): LongScroll => {
  const virtualHeight = rows * rowHeight;
  return { virtualHeight, physicalHeight: Math.min(virtualHeight, physicalLimit), viewport };
};

const room = (height: number, viewport: number) => Math.max(0, height - viewport);

/** The virtual top that a position of the scroll bar stands for. */
export function toVirtual(scroll: LongScroll, physicalTop: number): number {
  const physical = room(scroll.physicalHeight, scroll.viewport);
  if (physical === 0) return 0;
  return Math.max(0, Math.min(1, physicalTop / physical)) * room(scroll.virtualHeight, scroll.viewport);
}

/** The position of the scroll bar for a virtual top. */
export function toPhysical(scroll: LongScroll, virtualTop: number): number {
  const virtual = room(scroll.virtualHeight, scroll.viewport);
  if (virtual === 0) return 0;
  return Math.min(1, virtualTop / virtual) * room(scroll.physicalHeight, scroll.viewport);
}

/** Where the view goes when the scroll bar moved from one place to another. */
export function moved(scroll: LongScroll, virtualTop: number, from: number, to: number): number {
  const limit = room(scroll.virtualHeight, scroll.viewport);
  const end = room(scroll.physicalHeight, scroll.viewport);
  if (scroll.virtualHeight === scroll.physicalHeight || to <= 0 || to >= end) return toVirtual(scroll, to);
  if (Math.abs(to - from) > 2 * scroll.viewport) return toVirtual(scroll, to);
  return Math.max(0, Math.min(limit, virtualTop + (to - from)));
}
