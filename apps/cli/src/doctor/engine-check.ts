import { type Finding, ok } from './finding.ts';
export async function checkEngine(): Promise<Finding[]> {
  return [ok('engine', '?')];
}
