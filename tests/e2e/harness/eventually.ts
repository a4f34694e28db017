import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until a condition holds.
 * @param limitMs how long it may take before the test fails.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 60_000,
): Promise<T> {
  let last: unknown;
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await sleep(50)) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${what} did not happen within ${limitMs} ms${last ? `; last error: ${last}` : ''}`);
}
