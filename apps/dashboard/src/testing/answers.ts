import { accessAnswers } from './access-answers.ts';
import type { Ask } from './answer.ts';
import { dataAnswers } from './data-answers.ts';
import { jobAnswers } from './job-answers.ts';
import { machineAnswers } from './machine-answers.ts';
import type { World } from './world.ts';

/** The answer to each route, from the world in memory. */
export const answers = (world: World): Map<object, (ask: Ask) => unknown> =>
  new Map([...accessAnswers(), ...machineAnswers(world), ...jobAnswers(world), ...dataAnswers(world)]);
