import type { CSSProperties, ReactNode, Ref } from 'react';

interface ScrollBoxProps {
  /** What a screen reader calls the area. */
  label: string;
  className?: string;
  style?: CSSProperties;
  ref?: Ref<HTMLElement>;
  onScroll?: () => void;
  children: ReactNode;
}

/** An area that scrolls, which a keyboard must be able to reach (WCAG 2.1.1). */
export function ScrollBox({ label, children, ...rest }: ScrollBoxProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: only what has the focus can be scrolled by keyboard
    <section tabIndex={0} aria-label={label} {...rest}>
      {children}
    </section>
  );
}

/** A table that may be wider than its place. */
export function TableBox({
  label,
  className = '',
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <ScrollBox label={label} className={`table-wrap ${className}`}>
      {children}
    </ScrollBox>
  );
}
