import type { ControlMessage } from '../ring/record.ts';
import { plainText } from '../terminal/plain-text.ts';

const MAX_MESSAGE = 4096;
const MAX_TRACEBACK = 64 * 1024;

/** The supervisor's message in a control record, checked and made plain text; undefined if it is none. */
export function controlMessage(data: Buffer): ControlMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const text = (field: unknown, max: number, multiline = false): string =>
    typeof field === 'string' ? plainText(field, max, multiline) : '';
  switch (fields.event) {
    case 'started':
      return { event: 'started', pid: Number.isInteger(fields.pid) ? (fields.pid as number) : 0 };
    case 'exit':
      return {
        event: 'exit',
        code: Number.isInteger(fields.code) ? (fields.code as number) : null,
        signal:
          typeof fields.signal === 'string' || typeof fields.signal === 'number'
            ? plainText(String(fields.signal), 20)
            : null,
      };
    case 'exception':
      return {
        event: 'exception',
        type: text(fields.type, 200),
        message: text(fields.message, MAX_MESSAGE, true),
        ...(fields.traceback !== undefined && { traceback: text(fields.traceback, MAX_TRACEBACK, true) }),
      };
    default:
      return undefined;
  }
}
