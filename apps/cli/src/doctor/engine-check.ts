import { DockerDriver, planEngineSetup } from '@vgpu/drivers';
import { home } from '../context/home.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** The container engine: whether one answers, and what it lacks. */
export async function checkEngine(): Promise<Finding[]> {
  const plan = await planEngineSetup({ home: home() });
  if (!plan.engine) {
    const problem = plan.problems[0];
    const text = problem?.what ?? 'no container engine answers';
    return [fail('engine', text, problem?.hint ?? 'Run `vgpu setup`: it says what it will do, and does it.')];
  }
  const found = ok('engine', `${plan.detail} at ${plan.engine.socketPath} (${plan.engine.origin})`);
  return [found, ...(await checkAbilities(plan.engine.socketPath))];
}

async function checkAbilities(socketPath: string): Promise<Finding[]> {
  const driver = await DockerDriver.open({ home: home(), socketPath });
  try {
    const { cgroup, rootless, warnings } = await driver.fingerprint();
    const kind = ok('engine', `cgroup ${cgroup}${rootless ? ', rootless' : ''}`);
    return [
      kind,
      ...warnings.map((text: string) => warn('engine', text, 'Workers run, with this one bound less.')),
    ];
  } catch (error) {
    return [fail('engine', (error as Error).message, 'See the log of the engine.')];
  } finally {
    await driver.close();
  }
}
