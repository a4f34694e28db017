import { type Job, routes } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ VGPU_WARM: '0' });
});
afterAll(async () => {
  await server?.vgpu(['image', 'rm', 'e2e-requirements']);
  await server?.vgpu(['image', 'rm', 'e2e-dockerfile']);
  await server?.close();
});

const linesOf = async (job: Job): Promise<string[]> => {
  const { items } = await server.client.call(routes.tasks.logs, { params: { task: job.tasks[0]!.id } });
  return items.map((line) => line.text);
};

describe('vgpu image build', () => {
  test('-f requirements.txt: the packages are there, beside those of the standard image', async () => {
    const file = server.write('requirements.txt', '# a small package\niniconfig==2.0.0\n');
    const built = await server.vgpu(['image', 'build', 'e2e-requirements', '-f', file, '--json']);
    expect(built.code, built.stderr).toBe(0);
    expect(built.json).toMatchObject({ image: 'vgpu/e2e-requirements:latest' });
    const job = await server.run(
      'import importlib.metadata as m, sklearn\nprint(m.version("iniconfig"), sklearn.__name__)\n',
      ['--image', 'e2e-requirements'],
    );
    expect(job.state, JSON.stringify(job.tasks[0]?.reason)).toBe('COMPLETED');
    expect(await linesOf(job)).toEqual(['2.0.0 sklearn']);
    const again = await server.vgpu(['image', 'build', 'e2e-requirements', '-f', file, '--json']);
    expect(again.json.id, 'the same versions give the same image').toBe(built.json.id);
  });

  test('-f Dockerfile: any image with Python; what a step prints comes as it is printed', async () => {
    const file = server.write(
      'Dockerfile',
      'FROM vgpu/sklearn\nUSER 0\nRUN echo said-by-the-step && echo 42 > /etc/answer\n',
    );
    const built = await server.vgpu(['image', 'build', 'e2e-dockerfile', '-f', file]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stderr).toContain('said-by-the-step');
    expect(built.stdout).toContain('vgpu/e2e-dockerfile:latest');
    const job = await server.run('print(open("/etc/answer").read().strip())\n', [
      '--image',
      'e2e-dockerfile',
    ]);
    expect(await linesOf(job)).toEqual(['42']);
    const list = (await server.vgpu(['image', 'ls', '--json'])).json as { name: string }[];
    expect(list.map((one) => one.name)).toEqual(expect.arrayContaining(['e2e-dockerfile', 'sklearn']));
    const inspected = (await server.vgpu(['image', 'inspect', 'e2e-dockerfile', '--json'])).json;
    expect(inspected).toMatchObject({ name: 'e2e-dockerfile', managed: true });
  });

  test('a step that fails is named with its last lines and what to do; nothing is left', async () => {
    const step = server.write('broken.dockerfile', 'FROM vgpu/sklearn\nRUN echo before-the-end; exit 3\n');
    const failed = await server.vgpu(['image', 'build', 'e2e-broken', '-f', step]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('before-the-end');
    expect(failed.stderr).toMatch(/error building image e2e-broken failed/);
    const none = server.write('none/requirements.txt', 'no-such-package-of-vgpu==0\n');
    const missing = await server.vgpu(['image', 'build', 'e2e-broken', '-f', none]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/No matching distribution found for no-such-package-of-vgpu/);
    expect(missing.stderr).toMatch(/needs a Dockerfile/);
    const list = (await server.vgpu(['image', 'ls', '--all', '--json'])).json as { name: string | null }[];
    expect(list.map((one) => one.name)).not.toContain('e2e-broken');
    expect((await server.vgpu(['image', 'build', '-f', 'nowhere.txt'])).code).toBe(2);
  });

  test('--verify builds twice and finds the same digest', async () => {
    const done = await server.vgpu(['image', 'build', '--verify', '--json']);
    expect(done.code, done.stderr).toBe(0);
    const plain = await server.vgpu(['image', 'build', '--json']);
    expect(done.json.id).toBe(plain.json.id);
  });

  test('an image that is gone is told at the task, and rm of what is used is refused', async () => {
    expect((await server.vgpu(['image', 'rm', 'e2e-requirements'])).code).toBe(0);
    const job = await server.run('print(1)\n', ['--image', 'e2e-requirements']);
    expect(job.tasks[0]).toMatchObject({ state: 'FAILED', reason: { code: 'IMAGE_MISSING' } });
    expect((await server.vgpu(['image', 'rm', 'never-was'])).code).toBe(1);
  });
});
