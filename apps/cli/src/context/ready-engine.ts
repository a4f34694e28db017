import {
  assertBounded,
  type EngineEndpoint,
  ensureEngine,
  planEngineSetup,
  probeEngine,
} from '@vgpu/drivers';
import { plain } from '../output/plain.ts';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { cut } from '../output/table.ts';
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

/** Steps in a line each. What their commands print: on a terminal only the line that is the last now, elsewhere all. */
async function progress(titles: ReadonlySet<string>) {
  const live = process.stderr.isTTY
    ? (await import('log-update')).createLogUpdate(process.stderr)
    : undefined;
  const tell = (line: string): void => {
    if (!live || titles.has(line)) {
      live?.clear();
      note(titles.has(line) ? `  ${line}` : style.dim(`    ${line}`));
    } else live(style.dim(cut(`    ${plain(line)}`, (process.stderr.columns || 80) - 1)));
  };
  return { tell, done: () => live?.clear() };
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
  const { tell, done } = await progress(new Set(plan.steps.map((step) => step.title)));
  const engine = await ensureEngine({
    home: home(),
    install: options.install ?? false,
    onProgress: tell,
  }).finally(done);
  await assertBounded(engine.socketPath);
  const { detail } = await probeEngine(engine);
  return { ...engine, detail, changed: true };
}
