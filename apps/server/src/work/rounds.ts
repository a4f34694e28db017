import type { Resources } from '../resources.ts';
import { rounds } from './catalogue.ts';

const DAY_MS = 24 * 3_600_000;

/** Starts what repeats while the server runs. Returns what stops it. */
export function startRounds({ reconciler, engine, devices, store, log }: Resources): () => void {
  const timers = [
    setInterval(() => {
      if (engine.connected) void reconciler.check();
    }, rounds.reconcile.everyMs),
    setInterval(() => {
      devices
        .keep()
        .catch((error) => log.warn({ err: error }, 'an arbiter did not come back; it is tried again'));
    }, rounds.devices.everyMs),
    setInterval(() => {
      store
        .write((trx) =>
          trx
            .deleteFrom('idempotency')
            .where('created_at', '<', Date.now() - DAY_MS)
            .execute(),
        )
        .catch((error) => log.warn({ err: error }, 'old idempotency keys stay a while'));
    }, rounds.forgetKeys.everyMs),
  ];
  for (const timer of timers) timer.unref();
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
