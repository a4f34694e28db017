/**
 * A thread that works on tables. Every thread loads this module from source, so it imports light modules
 * alone: neither the engine nor packages.
 */
import { serveTasks } from './serve-tasks.ts';

/** What the thread does: each line is a kind of task. */
const handlers = {};

export type TableHandlers = typeof handlers;

serveTasks(handlers);
