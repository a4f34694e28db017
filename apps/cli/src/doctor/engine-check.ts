import { DockerDriver, DriverError, planEngineSetup } from '@vgpu/drivers';
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

function boundsFinding({ bounds, hint }: { bounds: string[]; hint: string }): Finding {
  const text = `the engine cannot bound ${bounds.join(', ')}`;
  if (process.env.VGPU_ALLOW_UNBOUNDED !== '1') return fail('engine', text, hint);
  return warn('engine', text, 'VGPU_ALLOW_UNBOUNDED=1: workers run all the same.');
}

async function checkAbilities(socketPath: string): Promise<Finding[]> {
  let driver: DockerDriver | undefined;
  try {
    driver = await DockerDriver.open({ home: home(), socketPath });
    const { cgroup, rootless, unbounded, warnings } = await driver.fingerprint();
    const kind = ok('engine', `cgroup ${cgroup}${rootless ? ', rootless' : ''}`);
    return [
      kind,
      ...(unbounded ? [boundsFinding(unbounded)] : []),
      ...warnings.map((text: string) => warn('engine', text, 'Workers run, with this one bound less.')),
    ];
  } catch (error) {
    const hint = error instanceof DriverError ? error.hint : '';
    return [fail('engine', (error as Error).message, hint || 'See the log of the engine.')];
  } finally {
    await driver?.close();
  }
}
