import { spawnSync } from 'node:child_process';
import { routes } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askEngine } from './harness/engine-view.ts';
import { Registry } from './harness/registry.ts';
import { TestServer } from './harness/test-server.ts';

const there = spawnSync('docker-registry', ['--version']).status === 0;
if (!there)
  console.warn(
    'skipped: images pulled from a registry (docker-registry is missing: apt-get install docker-registry)',
  );

const script = 'import sklearn\nprint(open("/etc/answer").read().strip(), sklearn.__name__)\n';

describe.skipIf(!there)('an image in a registry', () => {
  let server: TestServer;
  let registry: Registry;
  /** By digest. */
  let reference: string;

  /** So that only the registry has it. */
  const forget = async () => {
    const images =
      await askEngine<{ Id: string; RepoTags?: string[] | null; RepoDigests?: string[] | null }[]>(
        '/images/json',
      );
    const ours = images.filter((one) =>
      [...(one.RepoTags ?? []), ...(one.RepoDigests ?? [])].some(
        (name) => name.startsWith(`${registry.host}/`) || name.startsWith('vgpu/e2e-pushed:'),
      ),
    );
    for (const { Id } of ours) await askEngine(`/images/${Id}?force=1`, 'DELETE');
  };

  beforeAll(async () => {
    server = await TestServer.start({ VGPU_WARM: '0' });
    registry = await Registry.start();
    const file = server.write('Dockerfile', 'FROM vgpu/sklearn\nUSER 0\nRUN echo 42 > /etc/answer\n');
    const built = await server.vgpu(['image', 'build', 'e2e-pushed', '-f', file]);
    expect(built.code, built.stderr).toBe(0);
    reference = await registry.push('vgpu/e2e-pushed', 'team/pushed');
    await forget();
  });
  afterAll(async () => {
    await forget();
    await server?.close();
    registry?.close();
  });

  const lines = async (task: string) =>
    (await server.client.call(routes.tasks.logs, { params: { task } })).items.map((line) => line.text);

  test('is pulled by its digest when a task names it, and its task runs isolated as any other', async () => {
    const job = await server.run(script, ['--image', reference]);
    expect(job.state, JSON.stringify(job.tasks[0]?.reason)).toBe('COMPLETED');
    expect(await lines(job.tasks[0]!.id)).toEqual(['42 sklearn']);
    const user = await server.run('import os; print(os.getuid() == 0)\n', ['--image', reference]);
    expect(await lines(user.tasks[0]!.id)).toEqual(['False']);
  });

  test('is pulled by its tag too', async () => {
    await forget();
    const job = await server.run(script, ['--image', `${registry.host}/team/pushed:v1`]);
    expect(job.state, JSON.stringify(job.tasks[0]?.reason)).toBe('COMPLETED');
    expect(await lines(job.tasks[0]!.id)).toEqual(['42 sklearn']);
  });

  test('that the registry does not have fails its task with what was asked for', async () => {
    const missing = `${registry.host}/team/pushed@sha256:${'ab'.repeat(32)}`;
    const job = await server.run(script, ['--image', missing]);
    expect(job.tasks[0]).toMatchObject({ state: 'FAILED', reason: { code: 'IMAGE_MISSING' } });
    expect(job.tasks[0]!.reason!.message).toContain(missing);
  });
});
