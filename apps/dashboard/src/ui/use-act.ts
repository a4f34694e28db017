import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { errorText } from './error-text.ts';

/** Tells a person that something was done. */
export function tell(message: string): void {
  notifications.show({ message, color: 'green', autoClose: 4000 });
}

/** Tells a person why something failed, and what to do. */
export function tellError(error: unknown): void {
  const { title, hint } = errorText(error);
  notifications.show({ title, message: hint ?? '', color: 'red', autoClose: 10_000 });
}

/** Runs what a button does: busy meanwhile, and an error is told. Resolves to whether it went well. */
export function useAct(): {
  act: (work: () => Promise<unknown>, done?: string) => Promise<boolean>;
  busy: boolean;
} {
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<unknown>, done?: string): Promise<boolean> => {
    setBusy(true);
    try {
      await work();
      if (done) tell(done);
      return true;
    } catch (error) {
      tellError(error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { act, busy };
}
