import type { LogLine, StreamName } from '../types.ts';
import { Utf8Decoder } from './decoder.ts';
import { Screen } from './screen.ts';

type Output = 'stdout' | 'stderr';

export type Assembled = {
  /** Lines finished by this push, in order; `seq` counts over all streams of the task. */
  lines: LogLine[];
  /** What is being redrawn or still without newline on this stream, where that changed; '' when gone. */
  live?: string;
};

type State = { decoder: Utf8Decoder; screen: Screen; live: string };

/** Turns the raw bytes of a task's streams into log lines of plain text and a live line per stream. */
export class LineAssembler {
  #seq: number;
  #time = 0;
  #lines: LogLine[] = [];
  readonly #streams: Record<Output, State>;

  /** @param seq number of the first line (where a log goes on) */
  constructor(seq = 0) {
    this.#seq = seq;
    this.#streams = { stdout: this.#open('stdout'), stderr: this.#open('stderr') };
  }

  /** Number that the next line will have. */
  get next(): number {
    return this.#seq;
  }

  /** Feeds bytes that were printed at `time` (Unix ms). Never throws, whatever the bytes. */
  push(stream: Output, bytes: Buffer, time: number): Assembled {
    const state = this.#streams[stream];
    this.#time = time;
    state.screen.write(state.decoder.push(bytes), time);
    return this.#collect(state);
  }

  /** Gives out bars that were left behind; call about once a second while a stream is silent. */
  settle(stream: Output, time: number): Assembled {
    const state = this.#streams[stream];
    this.#time = time;
    state.screen.settle(time);
    return this.#collect(state);
  }

  /** Ends a stream's open lines (end of output, or a gap in it). */
  end(stream: Output, time: number): Assembled {
    const state = this.#streams[stream];
    this.#time = time;
    state.screen.write(state.decoder.end(), time);
    state.screen.end();
    return this.#collect(state);
  }

  /** A line by vgpu itself. */
  note(text: string, time: number): LogLine {
    return { seq: this.#seq++, time, stream: 'system', kind: 'log', text };
  }

  #open(stream: StreamName): State {
    const screen = new Screen(({ text, redrawn }) => {
      const kind = redrawn ? 'progress' : 'log';
      this.#lines.push({ seq: this.#seq++, time: this.#time, stream, kind, text });
    });
    return { decoder: new Utf8Decoder(), screen, live: '' };
  }

  #collect(state: State): Assembled {
    const lines = this.#lines;
    this.#lines = [];
    const live = state.screen.live();
    if (live === state.live) return { lines };
    state.live = live;
    return { lines, live };
  }
}
