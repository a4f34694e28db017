import {
  assertBounded,
  type EngineEndpoint,
  ensureEngine,
  planEngineSetup,
  probeEngine,
} from '@vgpu/drivers';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { home } from './home.ts';

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
}

/**
 * Finds the container engine, or starts one; each step is told before it is done.
 * @throws DriverError `ENGINE_UNREACHABLE` with what to do; `UNSUPPORTED` for one that cannot bound workers.
 */
export async function readyEngine(options: ReadyOptions = {}): Promise<ReadyEngine> {
  const plan = await planEngineSetup({ home: home() });
  if (plan.engine) {
    await assertBounded(plan.engine.socketPath);
    return { ...plan.engine, detail: plan.detail, changed: false };
  }
  const tell = (line: string) => note(style.dim(`  ${line}`));
  const engine = await ensureEngine({ home: home(), install: options.install ?? false, onProgress: tell });
  await assertBounded(engine.socketPath);
  const { detail } = await probeEngine(engine);
  return { ...engine, detail, changed: true };
}
