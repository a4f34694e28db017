import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EngineClient } from '../docker/client.ts';
import { DockerDriver } from '../docker/driver.ts';
import { ImageStore } from '../image/image-store.ts';
import { testEngine } from '../testing/test-engine.ts';
import { RingDrain, WorkerHarness } from '../testing/worker-harness.ts';
import { engineCandidates, findEngine } from './find-engine.ts';
import {
  ownEngineArguments,
  ownEnginePaths,
  ownEnginePid,
  startOwnEngine,
  stopEngine,
} from './own-engine.ts';
import { ensureEngine, planEngineSetup } from './setup-engine.ts';
import { which } from './which.ts';

const home = mkdtempSync(join(tmpdir(), 'vgpu-eng-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('what the user names is meant, and nothing else is tried', () => {
  expect(engineCandidates(home, { DOCKER_HOST: 'unix:///x/y.sock' })).toEqual([
    { origin: 'DOCKER_HOST', socketPath: '/x/y.sock' },
  ]);
  expect(
    engineCandidates(home, { VGPU_ENGINE: '/a.sock', DOCKER_HOST: 'unix:///b.sock' })[0]!.socketPath,
  ).toBe('/a.sock');
  expect(() => engineCandidates(home, { DOCKER_HOST: 'tcp://1.2.3.4:2375' })).toThrow('not a Unix socket');
  const all = engineCandidates(home, { XDG_RUNTIME_DIR: '/run/user/7' });
  expect(all.map((c) => c.origin)).toEqual(['own', 'docker', 'rootless-docker', 'podman', 'rootless-podman']);
});

test('a named engine that does not answer is a problem with a way out, not a reason to install one', async () => {
  const plan = await planEngineSetup({ home, env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
  expect(plan.steps).toEqual([]);
  expect(plan.problems[0]).toMatchObject({
    what: expect.stringContaining('/nowhere/docker.sock'),
    hint: expect.stringContaining('unset'),
  });
  await expect(ensureEngine({ home, env: { DOCKER_HOST: '/nowhere/docker.sock' } })).rejects.toMatchObject({
    code: 'ENGINE_UNREACHABLE',
  });
});

test('the engine that is there is found', async () => {
  const { engine, detail } = await findEngine(home, { VGPU_ENGINE: await testEngine() });
  expect(engine?.origin).toBe('VGPU_ENGINE');
  expect(detail).toMatch(/^(docker|podman) \d+/);
});

test('an engine that is too old, or something else on the socket, is told apart', async () => {
  const socketPath = join(home, 'old.sock');
  const server = createServer((_, response) =>
    response.end(JSON.stringify({ Version: '1.12', ApiVersion: '1.24', Os: 'linux', Arch: 'amd64' })),
  ).listen(socketPath);
  await new Promise((resolve) => server.once('listening', resolve));
  const client = new EngineClient(socketPath);
  await expect(client.version()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await client.close();
  server.close();
});

test('its own dockerd keeps to its own paths', () => {
  const paths = ownEnginePaths(home);
  const line = ownEngineArguments(paths, { iptables: true }).join(' ');
  for (const path of [paths.data, paths.exec, paths.pidfile, paths.config, paths.socket])
    expect(line).toContain(path);
  expect(line).toContain('--live-restore');
  expect(paths.socket.length).toBeLessThan(90);
});

const able = process.getuid?.() === 0 && which('dockerd') !== undefined;
if (!able) console.warn("skipped: vgpu's own dockerd (it takes root and an installed dockerd)");

/** Control groups of that name, in any hierarchy. */
const ownCgroups = (name: string): string[] =>
  ['', ...readdirSync('/sys/fs/cgroup')]
    .map((hierarchy) => join('/sys/fs/cgroup', hierarchy, name))
    .filter((path) => existsSync(path));

describe.skipIf(!able)("vgpu's own dockerd", () => {
  test('killed -9 in mid-task: the task runs on, is found again, and completes', async () => {
    const harness = new WorkerHarness();
    const paths = await startOwnEngine(harness.home);
    try {
      const client = new EngineClient(paths.socket);
      const cacheDir =
        process.env.VGPU_TEST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vgpu');
      await new ImageStore(client).build('sklearn', { cacheDir });
      await client.close();
      const driver = await DockerDriver.open({ socketPath: paths.socket, home: harness.home });
      const handle = await driver.start(
        harness.launch('import time\nfor n in range(40): print(n, flush=True); time.sleep(0.1)'),
      );
      const drain = new RingDrain(handle.ringPath);
      const first = ownEnginePid(paths)!;
      process.kill(first, 'SIGKILL');
      while (ownEnginePid(paths) === first) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await ensureEngine({ home: harness.home, env: {} })).toMatchObject({ origin: 'own' });
      expect(ownEnginePid(paths)).not.toBe(first);
      expect((await driver.list()).map((s) => [s.handle.taskId, s.phase])).toEqual([
        [handle.taskId, 'running'],
      ]);
      if (!existsSync('/run/systemd/system')) expect(ownCgroups(paths.cgroup)).not.toEqual([]);
      expect(await driver.wait(handle)).toMatchObject({ reason: 'completed', exitCode: 0 });
      expect(drain.close().stdout.trim().split('\n')).toEqual(
        Array.from({ length: 40 }, (_, n) => String(n)),
      );
      await driver.destroy(handle);
      expect(await driver.reap(new Set())).toEqual({ containers: [], networks: [], folders: [] });
      await driver.close();
    } finally {
      expect(await stopEngine({ home: harness.home })).toBe(true);
      expect(ownEnginePid(paths)).toBeUndefined();
      expect(await stopEngine({ home: harness.home })).toBe(false);
      expect(ownCgroups(paths.cgroup)).toEqual([]);
      harness.cleanup();
    }
  }, 120_000);
});
