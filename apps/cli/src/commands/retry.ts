import type { Command } from 'commander';
import { defineChange } from '../submit/change-job.ts';

export const define = (command: Command): void => defineChange(command, 'retry');
