/**
 * Cuts terminal output into text and the few controls that move or erase. Everything else that a
 * terminal would obey (colours, titles, clipboard, device queries, 8-bit controls) disappears here,
 * so what leaves this folder is plain text. Rules: ECMA-48; string sequences as xterm ends them.
 */
export type Control =
  | { type: 'text'; text: string }
  | { type: 'newline' | 'return' | 'backspace' }
  /** Relative cursor movement; positive is down and right. */
  | { type: 'move'; rows: number; columns: number }
  | { type: 'column'; column: number }
  /** Part of the current line: from the cursor, up to it, or all of it. */
  | { type: 'erase-line'; part: 'after' | 'before' | 'all' }
  /** Everything below the cursor, or the whole screen. */
  | { type: 'erase-screen'; part: 'after' | 'all' }
  | { type: 'delete'; count: number };

/** Longest sequence waited for; a longer one is given up and its rest is text. */
const MAX_SEQUENCE = 4096;
/** Largest movement one sequence can ask for. */
const MAX_COUNT = 10_000;

const ESC = 0x1b;
/**
 * What needs a closer look: C0 (but not tab), DEL, C1, line separators, and the controls that reverse
 * text and can make a line read as something else (Unicode TR 36).
 */
export const SPECIAL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

export class EscapeParser {
  #pending = '';

  /** True while a sequence is cut off. */
  get waiting(): boolean {
    return this.#pending !== '';
  }

  /** Feeds decoded text; calls `emit` for each piece, in order. A cut sequence waits for the next call. */
  parse(input: string, emit: (control: Control) => void): void {
    const text = this.#pending === '' ? input : this.#pending + input;
    this.#pending = '';
    let from = 0;
    SPECIAL.lastIndex = 0;
    for (let match = SPECIAL.exec(text); match !== null; match = SPECIAL.exec(text)) {
      const at = match.index;
      if (at > from) emit({ type: 'text', text: text.slice(from, at) });
      const end = this.#special(text, at, emit);
      if (end < 0) {
        this.#pending = text.slice(at);
        return;
      }
      from = end;
      SPECIAL.lastIndex = end;
    }
    if (from < text.length) emit({ type: 'text', text: text.slice(from) });
  }

  /** Handles the control at `at`; the index after it, or -1 if it is cut off. */
  #special(text: string, at: number, emit: (control: Control) => void): number {
    const code = text.charCodeAt(at);
    switch (code) {
      case 0x0a:
        emit({ type: 'newline' });
        return at + 1;
      case 0x0b: // vertical tab and form feed move down on a terminal
      case 0x0c:
      case 0x85:
      case 0x2028:
      case 0x2029:
        emit({ type: 'newline' });
        return at + 1;
      case 0x0d:
        emit({ type: 'return' });
        return at + 1;
      case 0x08:
        emit({ type: 'backspace' });
        return at + 1;
      case ESC:
        return this.#escape(text, at, emit);
      case 0x9b:
        return this.#csi(text, at, at + 1, emit);
      case 0x90:
      case 0x98:
      case 0x9d:
      case 0x9e:
      case 0x9f:
        return this.#string(text, at, at + 1);
      default:
        return at + 1; // dropped
    }
  }

  #escape(text: string, at: number, emit: (control: Control) => void): number {
    if (at + 1 >= text.length) return -1;
    const next = text.charCodeAt(at + 1);
    if (next === 0x5b) return this.#csi(text, at, at + 2, emit); // ESC [
    if (next === 0x5d || next === 0x50 || next === 0x58 || next === 0x5e || next === 0x5f)
      return this.#string(text, at, at + 2); // OSC, DCS, SOS, PM, APC
    let end = at + 1; // intermediates, then one final character
    while (end < text.length && text.charCodeAt(end) >= 0x20 && text.charCodeAt(end) <= 0x2f) end += 1;
    if (end - at > MAX_SEQUENCE) return at + 1;
    if (end >= text.length) return -1;
    const final = text.charCodeAt(end);
    return final >= 0x30 && final <= 0x7e ? end + 1 : end;
  }

  /** A string sequence ends at BEL or ST; what is between is dropped. */
  #string(text: string, at: number, body: number): number {
    const limit = Math.min(text.length, at + MAX_SEQUENCE);
    for (let i = body; i < limit; i += 1) {
      const code = text.charCodeAt(i);
      if (code === 0x07 || code === 0x9c) return i + 1;
      if (code === ESC) {
        if (i + 1 >= text.length) return -1;
        return text.charCodeAt(i + 1) === 0x5c ? i + 2 : i; // any other escape aborts the string
      }
    }
    // A worker that opens a string and never closes it must not hide the rest of its output.
    return limit < text.length ? body : -1;
  }

  #csi(text: string, at: number, body: number, emit: (control: Control) => void): number {
    let end = body;
    while (end < text.length) {
      const code = text.charCodeAt(end);
      if (code >= 0x40 && code <= 0x7e) break;
      if (code < 0x20 || code > 0x3f || end - at > MAX_SEQUENCE) return end; // malformed: dropped so far
      end += 1;
    }
    if (end >= text.length) return -1;
    const control = csiControl(text.slice(body, end), text[end]!);
    if (control !== undefined) emit(control);
    return end + 1;
  }
}

function csiControl(parameters: string, final: string): Control | undefined {
  if (/[^0-9;]/.test(parameters)) return undefined; // private modes, queries
  const first = Number(parameters.split(';', 1)[0] ?? '');
  const count = Math.min(MAX_COUNT, Math.max(1, first));
  switch (final) {
    case 'A':
      return { type: 'move', rows: -count, columns: 0 };
    case 'B':
      return { type: 'move', rows: count, columns: 0 };
    case 'C':
      return { type: 'move', rows: 0, columns: count };
    case 'D':
      return { type: 'move', rows: 0, columns: -count };
    case 'E':
      return { type: 'move', rows: count, columns: Number.NEGATIVE_INFINITY };
    case 'F':
      return { type: 'move', rows: -count, columns: Number.NEGATIVE_INFINITY };
    case 'G':
      return { type: 'column', column: count - 1 };
    case 'K':
      return { type: 'erase-line', part: first === 1 ? 'before' : first === 2 ? 'all' : 'after' };
    case 'J':
      return first === 1 ? undefined : { type: 'erase-screen', part: first >= 2 ? 'all' : 'after' };
    case 'P':
      return { type: 'delete', count };
    default:
      return undefined; // colours and the rest
  }
}
