import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vgpuCache } from '@vgpu/core';
import { ensureEngine } from '@vgpu/drivers';
import type { TestProject } from 'vitest/node';
import { type CliResult, root, runCli } from './run-cli.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the engine that all tests share. */
    engine: string;
  }
}

function must(done: CliResult, what: string): CliResult {
  if (done.code !== 0) throw new Error(`${what} ended with ${done.code}:\n${done.stdout}\n${done.stderr}`);
  return done;
}

/** Builds the worker image unless the engine has it. */
async function ensureImage(env: NodeJS.ProcessEnv): Promise<void> {
  const images = must(await runCli(['image', 'ls', '--json'], { env }), 'vgpu image ls').json as {
    name: string;
  }[];
  if (images.some((image) => image.name === 'sklearn')) return;
  console.log('building the worker image');
  must(await runCli(['image', 'build'], { env }), 'vgpu image build');
}

/** The engine that `vgpu test` named; else one of our own that keeps its images from one run to the next. */
async function sharedEngine(): Promise<string> {
  if (process.env.VGPU_TEST_DOCKER) return process.env.VGPU_TEST_DOCKER;
  const home = join(vgpuCache(process.env, process.getuid?.()), 'test-engine');
  const { socketPath } = await ensureEngine({ home, install: true, onProgress: console.log });
  return `unix://${socketPath}`;
}

/** Once for all files: the programs are built, an engine answers, and the worker image is there. */
export default async function setup(project: TestProject): Promise<void> {
  for (const part of [[], ['--page']]) {
    const built = spawnSync(process.execPath, [join(root, 'tools/build.ts'), ...part], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`the build failed:\n${built.stderr}`);
  }
  const engine = await sharedEngine();
  project.provide('engine', engine);

  const home = mkdtempSync(join(tmpdir(), 'vgpu-e2e-setup-'));
  const env = { VGPU_HOME: home, VGPU_ENGINE: engine, VGPU_PORT: '0', VGPU_WARM: '0', VGPU_SERVER: '' };
  try {
    must(await runCli(['up', '--detach'], { env }), 'vgpu up');
    await ensureImage(env);
  } finally {
    await runCli(['down'], { env });
    rmSync(home, { recursive: true, force: true });
  }
}
