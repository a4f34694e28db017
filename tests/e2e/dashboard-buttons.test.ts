import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, routes, VgpuClient } from '@vgpu/api';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, openBrowser, openWindow, seriousFindings, watchPage } from './harness/browser.ts';
import { classification } from './harness/datasets.ts';
import { eventually } from './harness/eventually.ts';
import { TestServer } from './harness/test-server.ts';

// VGPU_SHOTS names a folder for pictures of the page before each decision and of each failure.
const shots = process.env.VGPU_SHOTS;

const looks = [
  { width: 1280, scheme: 'light' },
  { width: 390, scheme: 'dark' },
] as const;

describe.skipIf(!chromiumPath)('what the dashboard’s buttons do to the server', () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    server = await TestServer.start({ VGPU_CPU: '8' });
    browser = await openBrowser();
    if (shots) mkdirSync(shots, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  describe.each(looks)('at $width px in $scheme', (look) => {
    let window: BrowserContext;
    let page: Page;
    let problems: string[];
    const at = `${look.width}-${look.scheme}`;
    /** Names of this window's own things. */
    const own = (name: string) => `${name}-${look.width}`;

    beforeAll(async () => {
      window = await openWindow(browser, look);
      page = await window.newPage();
      problems = watchPage(page, () => server.file.url);
      await page.goto(`${server.file.url}/#token=${server.token}`);
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
    });
    afterAll(() => window?.close());
    afterEach(async ({ task }) => {
      if (shots && task.result?.state === 'fail')
        await page.screenshot({ path: join(shots, `failed-${at}-${task.name.slice(0, 30)}.png`) });
    });

    const open = async (path: string, heading: string) => {
      await page.goto(server.file.url + path);
      await page.getByRole('heading', { name: heading, exact: true }).first().waitFor();
    };
    /** Looks at the page as it is, then goes on: nothing serious by axe, nothing that sticks out. */
    const glance = async (name: string) => {
      await page.waitForTimeout(350); // what opens has opened
      if (shots) await page.screenshot({ path: join(shots, `${name}-${at}.png`) });
      expect(await seriousFindings(page), name).toEqual([]);
      const beyond = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(beyond, `${name} scrolls sideways`).toBeLessThanOrEqual(0);
    };
    const dialog = () => page.getByRole('dialog');
    const closed = () => dialog().waitFor({ state: 'detached' });
    const row = (text: string) => page.getByRole('row', { name: new RegExp(text) });

    test('a token is made, shown once, works, and stops working when it is revoked', async () => {
      await open('/settings', 'Tokens');
      await page.getByRole('button', { name: 'New token' }).click();
      await dialog().getByLabel('Name').fill(own('notebook'));
      await dialog().getByLabel('Write').uncheck();
      await glance('token-form');
      await dialog().getByRole('button', { name: 'Create token' }).click();
      const secret = (await dialog().locator('[data-secret]').innerText()).trim();
      await glance('token-made');
      await dialog().getByRole('button', { name: 'Done' }).click();
      await closed();
      expect(await page.content()).not.toContain(secret);

      const client = new VgpuClient({ url: server.file.url, token: secret });
      expect((await client.call(routes.access.whoami, {})).scopes).toEqual(['read']);
      await page.getByRole('button', { name: `Revoke ${own('notebook')}` }).click();
      await glance('token-revoke');
      await dialog().getByRole('button', { name: 'Revoke token' }).click();
      await closed();
      await expect.poll(() => row(own('notebook')).count()).toBe(0);
      await expect(client.call(routes.access.whoami, {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    });

    test('a secret is set, replaced and deleted, and its value never comes back', async () => {
      await open('/settings', 'Secrets');
      const name = own('HF_TOKEN').replace('-', '_');
      const value = `never-shown-${look.width}`;
      await page.getByRole('button', { name: 'New secret' }).click();
      await dialog().getByLabel('Name').fill(name);
      await dialog().getByLabel('Value', { exact: true }).fill(value);
      await glance('secret-form');
      await dialog().getByRole('button', { name: 'Set secret' }).click();
      await closed();
      await row(name).waitFor();
      await glance('secrets');
      expect(await page.content()).not.toContain(value);
      const known = async () =>
        (await server.client.call(routes.secrets.list, {})).items.find((one) => one.name === name);
      expect(await known()).toMatchObject({ bytes: value.length, text: true });

      await page.getByRole('button', { name: `Replace ${name}` }).click();
      await dialog().getByLabel('Value', { exact: true }).fill('shorter-one');
      await page.keyboard.press('Enter');
      await closed();
      await expect.poll(async () => (await known())?.bytes).toBe('shorter-one'.length);

      await open('/new', 'New job');
      await page.getByRole('button', { name: /Limits, metrics/ }).click();
      await page.getByLabel('Secrets', { exact: true }).first().click();
      await page.getByRole('option', { name }).click();
      await glance('secret-chosen');

      await open('/settings', 'Secrets');
      await page.getByRole('button', { name: `Delete ${name}` }).click();
      await glance('secret-delete');
      await dialog().getByRole('button', { name: 'Delete secret' }).click();
      await closed();
      await expect.poll(known).toBeUndefined();
    });

    test('an image is built from a requirement, with its output, and deleted', async () => {
      await open('/images', 'Images');
      await page.getByRole('button', { name: 'Build an image' }).click();
      await dialog().getByLabel('Name').fill(own('buttons'));
      await dialog().getByLabel('Python packages').fill('iniconfig==2.0.0');
      await dialog().getByRole('button', { name: 'Build', exact: true }).click();
      const done = dialog().getByRole('status');
      await done.waitFor({ timeout: 120_000 });
      expect(await done.innerText()).toContain('is built');
      await glance('image-built');
      expect(await dialog().locator('pre').innerText()).toMatch(/iniconfig/);
      await page.keyboard.press('Escape');
      await closed();
      await row(own('buttons')).first().waitFor();
      await glance('images');
      const named = async () =>
        (await server.client.call(routes.images.list, {})).items.filter((one) => one.name === own('buttons'));
      expect(await named()).toHaveLength(1);
      const wrong = page.getByRole('button', { name: 'Build an image' });
      await wrong.click();
      await dialog().getByLabel('Name').fill(own('broken'));
      await dialog().getByLabel('Python packages').fill('no-such-package-of-vgpu==0');
      await dialog().getByRole('button', { name: 'Build', exact: true }).click();
      await done.waitFor({ timeout: 120_000 });
      expect(await done.innerText()).toMatch(/no-such-package-of-vgpu/);
      await glance('image-failed');
      await page.keyboard.press('Escape');
      await closed();

      await row(own('buttons')).getByRole('button', { name: 'Delete' }).click();
      await glance('image-delete');
      await dialog().getByRole('button', { name: 'Delete image' }).click();
      await closed();
      await expect.poll(async () => (await named()).length).toBe(0);
      await expect.poll(() => row(own('buttons')).count()).toBe(0);
    });

    test('an accelerator is taken out of service and back in, and its pool put under MPS', async () => {
      const device = async () => (await server.client.call(routes.accelerators.list, {})).items[0]!;
      expect(await device(), 'a device of OpenCL: is pocl-opencl-icd installed?').toBeDefined();
      await open('/accelerators', 'Accelerators');
      await page.getByRole('button', { name: /^Take out:/ }).click();
      await dialog().getByRole('switch', { name: 'Send what runs on it back to the queue' }).check();
      await dialog().getByLabel('Seconds to end by themselves').fill('5');
      await dialog().getByLabel('Reason').fill('fan is loud');
      await glance('accelerator-out');
      await dialog().getByRole('button', { name: 'Take out of service' }).click();
      await closed();
      await page.getByText('drained by admin: fan is loud').waitFor();
      await glance('accelerator-draining');
      expect((await device()).health).toBe('draining');
      const listed = (await server.vgpu(['gpu', 'ls'])).stdout;
      expect(listed).toMatch(/^0: drained by admin: fan is loud; `vgpu gpu uncordon 0` takes it back in$/m);
      await page.getByRole('button', { name: /^Take back in:/ }).click();
      await expect.poll(async () => (await device()).health).toBe('healthy');

      await page.getByRole('button', { name: 'Change pool default' }).click();
      await dialog().getByLabel('Slices at the same time').first().click();
      await page.getByRole('option', { name: /^Where a device can/ }).click();
      await dialog().getByRole('switch', { name: 'Projects may share one MPS server' }).check();
      await glance('pool-form');
      await dialog().getByRole('button', { name: 'Save' }).click();
      await closed();
      const pool = async () => (await server.client.call(routes.accelerators.pools, {})).items[0];
      expect(await pool()).toMatchObject({ mps: 'auto', mpsAcrossProjects: true, deviceSplitCount: 10 });
      await page.getByText('auto, projects share').waitFor();
      await page.getByText(/No MPS here: /).waitFor();
      await glance('pools');
      await server.vgpu(['gpu', 'pool', 'set', 'default', '--mps', 'off', '--mps-projects', 'separate']);
    });

    test('a dataset is deleted', async () => {
      const file = server.write(`${own('gone')}.csv`, classification(50));
      expect((await server.vgpu(['data', 'add', file, '--name', own('gone')])).code).toBe(0);
      await open(`/datasets/${own('gone')}`, own('gone'));
      await page.getByRole('button', { name: 'Delete' }).click();
      await glance('dataset-delete');
      await dialog().getByRole('button', { name: 'Delete dataset' }).click();
      await page.waitForURL(/\/datasets$/);
      await glance('datasets');
      expect((await server.vgpu(['data', 'show', own('gone')])).code).toBe(1);
      await expect.poll(() => page.getByRole('link', { name: own('gone') }).count()).toBe(0);
    });

    test('several jobs are stopped, tried again and deleted at once', async () => {
      const script = server.write(
        `${own('bulk')}/bulk.py`,
        'import time\nprint("on", flush=True)\ntime.sleep(120)\n',
      );
      const jobs = await Promise.all(
        ['one', 'two'].map(async (name) => {
          const flags = ['--name', `${own('bulk')}-${name}`, '--cpu', '0.2', '--memory', '64MiB', '--json'];
          return (await server.vgpu(['run', script, ...flags])).json.job as string;
        }),
      );
      const all = (state: Job['state']) =>
        eventually(`both are ${state}`, async () => {
          const now = await Promise.all(jobs.map((id) => server.job(id)));
          return now.every((job) => job.state === state);
        });
      await all('RUNNING');
      await open(`/jobs?search=${own('bulk')}`, 'Jobs');
      await page.getByLabel('Choose all jobs').check();
      const bar = page.getByRole('toolbar');
      await bar.getByText('2 jobs chosen').waitFor();
      expect(
        await bar.getByRole('button', { name: 'Delete' }).isDisabled(),
        'running jobs are not deleted',
      ).toBe(true);
      await bar.getByRole('button', { name: 'Stop' }).click();
      await glance('jobs-stop');
      await dialog().getByRole('button', { name: 'Stop jobs' }).click();
      await closed();
      await all('CANCELLED');

      // What was chosen may be let go after an action.
      const choose = async () => {
        const box = page.getByLabel('Choose all jobs');
        if (!(await box.isChecked())) await box.check();
        await bar.getByText('2 jobs chosen').waitFor();
      };
      await choose();
      await bar.getByRole('button', { name: 'Retry failed' }).click();
      await all('RUNNING');
      for (const job of jobs) await server.client.call(routes.jobs.stop, { params: { job } });
      await all('CANCELLED');

      await choose();
      await expect.poll(() => bar.getByRole('button', { name: 'Delete' }).isEnabled()).toBe(true);
      await bar.getByRole('button', { name: 'Delete' }).click();
      await glance('jobs-delete');
      await dialog().getByRole('button', { name: 'Delete jobs' }).click();
      await closed();
      await page.getByText('No job matches').waitFor();
      for (const job of jobs) await expect(server.job(job)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('nothing of it threw, or asked anybody else', () => {
      expect(problems).toEqual([]);
    });
  });
});
