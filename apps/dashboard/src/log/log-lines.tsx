import type { LogLineView } from '@vgpu/api';
import type { CSSProperties } from 'react';
import classes from './log-view.module.css';

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** Text with the found words marked. */
function Marked({ text, needle }: { text: string; needle: string }) {
  if (!needle) return text;
  const lower = text.toLowerCase();
  const parts: React.ReactNode[] = [];
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0 && parts.length < 100; at = lower.indexOf(needle, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + needle.length)}</mark>);
    from = at + needle.length;
  }
  return [...parts, text.slice(from)];
}

interface LogRowProps {
  seq: number;
  line: LogLineView | undefined;
  style: CSSProperties;
  digits: number;
  times: boolean;
  needle: string;
  hit: boolean;
}

/** One line: its number, when and what. A line that is still on its way keeps its place. */
export function LogRow({ seq, line, style, digits, times, needle, hit }: LogRowProps) {
  return (
    <div
      className={classes.row}
      style={style}
      data-seq={seq}
      data-stream={line?.stream}
      data-hit={hit || undefined}
    >
      <span className={classes.seq} style={{ minWidth: `calc(${digits}ch + 22px)` }}>
        {(seq + 1).toLocaleString('en')}
      </span>
      {times && line && <span className={classes.time}>{clock.format(line.time)}</span>}
      <span>{line ? <Marked text={line.text} needle={needle} /> : '…'}</span>
    </div>
  );
}
