/**
 * A thread that works on tables. Every thread loads this module from source, so it imports light modules
 * alone: neither the engine nor packages.
 */
import { encodeBlocks } from './encode-blocks.ts';
import { parsePiece } from './parse-piece.ts';
import { serveTasks } from './serve-tasks.ts';
import {
  boundBlocks,
  countBlocks,
  endBlocks,
  exceedBlocks,
  pickBlocks,
  tallyBlocks,
} from './tally-blocks.ts';

/** What the thread does: each line is a kind of task. */
const handlers = {
  parse: parsePiece,
  bounds: boundBlocks,
  tally: tallyBlocks,
  count: countBlocks,
  exceed: exceedBlocks,
  pick: pickBlocks,
  ends: endBlocks,
  encode: encodeBlocks,
};

export type TableHandlers = typeof handlers;

serveTasks(handlers);
