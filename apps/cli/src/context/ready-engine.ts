import {
  assertBounded,
  type EngineEndpoint,
  type EnginePlan,
  ensureEngine,
  planEngineSetup,
  probeEngine,
} from '@vgpu/drivers';
import { home } from './home.ts';
import { stepProgress } from './step-progress.ts';

/** A container engine that answers. */
export interface ReadyEngine extends EngineEndpoint {
  /** For people: what it is. */
  detail: string;
  /** Whether something had to be installed or started. */
  changed: boolean;
}

export interface ReadyOptions {
  /** Install Debian packages where no engine is installed. Without it, only what is installed gets started. */
  install?: boolean;
  /** What was found out already; default: now. */
  plan?: EnginePlan;
}

/**
 * Finds the container engine, or starts one; each step is told before it is done.
 * @throws DriverError `ENGINE_UNREACHABLE` with what to do; `UNSUPPORTED` for one that cannot bound workers.
 */
export async function readyEngine(options: ReadyOptions = {}): Promise<ReadyEngine> {
  const plan = options.plan ?? (await planEngineSetup({ home: home() }));
  if (plan.engine) {
    await assertBounded(plan.engine.socketPath);
    return { ...plan.engine, detail: plan.detail, changed: false };
  }
  const { tell, done } = await stepProgress(new Set(plan.steps.map((step) => step.title)));
  const engine = await ensureEngine({
    home: home(),
    plan,
    install: options.install ?? false,
    onProgress: tell,
  }).finally(done);
  await assertBounded(engine.socketPath);
  const { detail } = await probeEngine(engine);
  return { ...engine, detail, changed: true };
}
