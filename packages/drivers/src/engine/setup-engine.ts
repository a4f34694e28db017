import { existsSync, readFileSync } from 'node:fs';
import { DriverError } from '../errors.ts';
import { type EngineEndpoint, type EngineProbe, findEngine } from './find-engine.ts';
import { startOwnEngine } from './own-engine.ts';
import { installStep, runStep, type SetupStep } from './setup-step.ts';
import { which } from './which.ts';

export interface EnginePlan {
  /** An engine that already answers: nothing to do. */
  engine?: EngineEndpoint;
  detail: string;
  tried: EngineProbe[];
  steps: SetupStep[];
  /** Why no plan can be made; each with what to do instead. */
  problems: { what: string; hint: string }[];
}

export interface EngineOptions {
  home: string;
  env?: NodeJS.ProcessEnv;
}

const PACKAGES = ['docker.io', 'crun', 'iptables', 'xz-utils'];

/** Finds an engine, or says what it would take to have one. Changes nothing. */
export async function planEngineSetup(options: EngineOptions): Promise<EnginePlan> {
  const { engine, detail, tried } = await findEngine(options.home, options.env);
  const plan: EnginePlan = { engine, detail, tried, steps: [], problems: [] };
  if (engine) return plan;
  const named = tried.find((t) => t.origin === 'VGPU_ENGINE' || t.origin === 'DOCKER_HOST');
  const refused = tried.find((t) => t.hint.includes('docker group'));
  if (named) {
    plan.problems.push({
      what: `${named.origin} names ${named.socketPath}, where nothing answers: ${named.detail}`,
      hint: 'Start that engine, or unset the variable.',
    });
  } else if (process.getuid?.() !== 0) {
    const hint = refused
      ? refused.hint
      : 'Run `vgpu setup` as root (sudo), or start rootless Docker or Podman (systemctl --user start podman.socket).';
    plan.problems.push({
      what: refused ? refused.detail : 'installing one takes root',
      hint,
    });
  } else planAsRoot(plan);
  return plan;
}

function planAsRoot(plan: EnginePlan): void {
  if (!which('dockerd')) {
    if (!which('apt-get')) {
      plan.problems.push({
        what: `no container engine here, and ${distribution()} has no apt-get`,
        hint: 'Install Docker 19.03+ or Podman 4+ with your package manager, then run vgpu again.',
      });
      return;
    }
    plan.steps.push(installStep('install the container engine from your distribution', PACKAGES));
  }
  if (existsSync('/run/systemd/system')) {
    plan.steps.push({
      kind: 'service',
      title: "start the system's Docker",
      commands: [['systemctl', 'enable', '--now', 'docker']],
    });
  } else {
    plan.steps.push({
      kind: 'own-engine',
      title: "start vgpu's own dockerd, with its own socket and data, beside any other engine",
      commands: [],
    });
  }
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'this system';
  } catch {
    return 'this system';
  }
}

/**
 * Makes an engine answer: finds one, or starts vgpu's own where dockerd is installed; installs only when
 * `install` allows it (the caller has shown `planEngineSetup` and has the user's word). Throws ENGINE_UNREACHABLE
 * with what to do.
 */
export async function ensureEngine(
  options: EngineOptions & { plan?: EnginePlan; install?: boolean; onProgress?: (line: string) => void },
): Promise<EngineEndpoint> {
  const plan = options.plan ?? (await planEngineSetup(options));
  if (plan.engine) return plan.engine;
  const problem = plan.problems[0];
  if (problem) throw new DriverError('ENGINE_UNREACHABLE', problem.what, problem.hint);
  for (const step of plan.steps) {
    if (step.kind === 'install' && !options.install) {
      throw new DriverError('ENGINE_UNREACHABLE', 'no container engine is installed', 'Run: vgpu setup');
    }
    await runStep(step, options.onProgress);
    if (step.kind === 'own-engine') {
      const paths = await startOwnEngine(options.home);
      return { socketPath: paths.socket, origin: 'own' };
    }
  }
  for (let tries = 0; tries < 50; tries++) {
    const { engine } = await findEngine(options.home, options.env);
    if (engine) return engine;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new DriverError(
    'ENGINE_UNREACHABLE',
    'the engine was set up but does not answer',
    'vgpu doctor looks closer.',
  );
}
