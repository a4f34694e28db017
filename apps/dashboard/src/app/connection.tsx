import { Button, Tooltip } from '@mantine/core';
import { IconCloudOff, IconPlugConnected, IconRefresh } from '@tabler/icons-react';
import { stream, useStreamStatus } from '../live/stream.ts';
import { useNow } from '../ui/clock.ts';
import { When } from '../ui/when.tsx';
import classes from './shell.module.css';

/** Says in the header whether what is shown is live. */
export function ConnectionDot() {
  const { state, brokenAt } = useStreamStatus();
  const live = state === 'open';
  const text = live
    ? 'Live: changes appear as they happen'
    : brokenAt
      ? 'The server does not answer'
      : 'Connecting';
  const Icon = brokenAt ? IconCloudOff : IconPlugConnected;
  return (
    <Tooltip label={text}>
      <span
        role="status"
        data-connection={state}
        style={{
          display: 'inline-flex',
          padding: 6,
          color: live ? 'var(--vg-completed)' : brokenAt ? 'var(--vg-queued)' : 'var(--mantine-color-dimmed)',
        }}
      >
        <Icon size={19} stroke={1.7} aria-label={text} role="img" />
      </span>
    </Tooltip>
  );
}

/** Shown while the line to the server is broken for more than a moment. */
export function ConnectionBanner() {
  const { state, brokenAt, retryAt } = useStreamStatus();
  const now = useNow(1000, brokenAt !== null);
  if (brokenAt === null) return null;
  const seconds = retryAt ? Math.max(0, Math.ceil((retryAt - now) / 1000)) : 0;
  return (
    <div className={classes.banner} role="alert">
      <IconCloudOff size={18} color="var(--vg-queued)" aria-hidden />
      <span style={{ flex: 1, minWidth: 220 }}>
        <strong>Disconnected from the server</strong> <When at={brokenAt} />. What is shown may be old;
        nothing is lost: the page continues where it stopped.{' '}
        <span className="num">
          {state === 'waiting' && seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying to reconnect…'}
        </span>
      </span>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconRefresh size={14} />}
        disabled={state !== 'waiting'}
        onClick={() => stream.retryNow()}
      >
        Try now
      </Button>
    </div>
  );
}
