import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { routes } from '@vgpu/api';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, openBrowser, openWindow, watchPage } from './harness/browser.ts';
import { classification } from './harness/datasets.ts';
import { freePort } from './harness/free-port.ts';
import { TestServer } from './harness/test-server.ts';

const script = `
import argparse
import os
import time

import pandas as pd
import vgpu

parser = argparse.ArgumentParser()
parser.add_argument('data')
parser.add_argument('--ticks', type=int, default=60, help='lines to print')
parser.add_argument('--shape', choices=['plain', 'fancy'], default='plain', help='how to print them')
args = parser.parse_args()

table = pd.read_csv(args.data)
for tick in range(args.ticks):
    vgpu.log(tick, loss=1 / (1 + tick))
    print(f'tick {tick}', flush=True)
    time.sleep(0.1)
target = table[os.environ['VGPU_TARGET']]
vgpu.report(target, [('yes' if a + b > 1 else 'no') for a, b in zip(table['a'], table['b'])])
with open(os.path.join(os.environ['VGPU_OUTPUT'], 'rows.txt'), 'w') as out:
    out.write(str(len(table)))
`;

describe.skipIf(!chromiumPath)('the dashboard, as its user', () => {
  let server: TestServer;
  let browser: Browser;
  let window: BrowserContext;
  let page: Page;
  let problems: string[];
  let origin: string;
  let job: string;

  beforeAll(async () => {
    server = await TestServer.start({ VGPU_PORT: String(await freePort()), VGPU_CPU: '8' });
    origin = server.file.url;
    browser = await openBrowser();
    window = await openWindow(browser, { width: 1280, scheme: 'light' });
    page = await window.newPage();
    problems = watchPage(page, () => origin);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  // Where a failure is looked into: VGPU_SHOTS names a folder for a picture of the page as it was.
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || !process.env.VGPU_SHOTS) return;
    await page.screenshot({
      path: join(process.env.VGPU_SHOTS, `${task.name.slice(0, 40)}.png`),
      fullPage: true,
    });
  });

  const lane = (name: string) => page.locator(`[data-lane="${name}"]`);
  const linesOf = async (name: string): Promise<number> =>
    Number(await lane(name).locator('[data-log-total]').getAttribute('data-log-total'));
  const idAt = (): string => /\/jobs\/([^/?]+)/.exec(page.url())![1]!;

  test('asks for a token, refuses a wrong one, and takes the link that `vgpu up` prints', async () => {
    await page.goto(`${origin}/datasets`);
    await page.waitForURL(/sign-in\?next=/);
    await page.getByLabel('Token', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect.poll(() => page.getByText('Not signed in').isVisible()).toBe(true);
    await page.getByLabel('Token', { exact: true }).fill(server.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(/\/datasets$/);

    await window.clearCookies();
    await page.goto('about:blank');
    await page.goto(`${origin}/#token=${server.token}`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(page.url()).not.toContain('token');
    const cookie = (await window.cookies()).find((one) => one.httpOnly);
    expect(cookie?.sameSite).toMatch(/Strict|Lax/);
  });

  test('makes a job of a script and two files: cleaning plan, options of the script, placement', async () => {
    const files = [
      server.write('form/train.py', script),
      server.write('form/north.csv', classification(200, 3).replace(/^(.*\n.*\n)[\d.]+,/, '$1,')),
      server.write('form/south.csv', classification(300, 4).replaceAll(',', ';')),
    ];
    await page.keyboard.press('g');
    await page.keyboard.press('n');
    await page.getByRole('heading', { name: 'New job' }).waitFor();
    await page.locator('input[type=file]').setInputFiles(files);
    for (const [file, rows] of [
      ['north.csv', '200 rows'],
      ['south.csv', '300 rows'],
    ]) {
      const card = page.locator(`[data-dataset="${file}"]`);
      await card.getByText(rows!).waitFor();
      await card.getByLabel(`Target of ${file}`).first().click();
      await page.getByRole('option', { name: 'label' }).locator('visible=true').click();
    }
    await expect.poll(() => page.locator('[data-dataset="south.csv"]').innerText()).toContain('semicolon');
    await page
      .locator('[data-dataset="north.csv"]')
      .getByRole('button', { name: /Cleaning plan/ })
      .click();
    await page.locator('[data-dataset="north.csv"]').getByRole('table').waitFor();

    await page.getByLabel('--ticks').fill('150');
    await page.getByLabel('--shape').first().click();
    await page.getByRole('option', { name: 'fancy' }).locator('visible=true').click();
    await page.getByLabel('Name of the job').fill('two-fields');
    await page.getByText('starts at once').waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.waitForURL(/\/jobs\/job_/);
    job = idAt();
    const stored = await server.job(job);
    expect(stored.spec).toMatchObject({ name: 'two-fields', args: { ticks: 150, shape: 'fancy' } });
    expect(stored.tasks).toHaveLength(2);
  });

  test('shows both workers live', async () => {
    const watch = async (name: string) => {
      await lane(name).locator('[data-state="RUNNING"]').waitFor({ timeout: 60_000 });
      const before = await linesOf(name);
      await expect.poll(() => linesOf(name), { timeout: 90_000 }).toBeGreaterThan(before + 5);
      await lane(name).locator('.uplot').first().waitFor();
    };
    await Promise.all(['north', 'south'].map(watch));
    for (const name of ['north', 'south']) {
      await lane(name).locator('[data-state="COMPLETED"]').waitFor({ timeout: 60_000 });
    }
  });

  test('compares the scores', async () => {
    await page.getByRole('tab', { name: 'Scores' }).click();
    await expect.poll(() => page.url()).toContain('tab=scores');
    const table = (await server.client.call(routes.jobs.metrics, { params: { job } })).rows;
    for (const row of table) {
      const shown = page.locator(`[data-score-row="${row.name}"]`);
      await shown.waitFor();
      expect(await shown.innerText()).toContain(
        row.values.accuracy!.toFixed(row.values.accuracy === 1 ? 0 : 4),
      );
    }
    await page.getByText('Confusion matrices').waitFor();
    await page.goBack();
    await expect.poll(() => page.url()).not.toContain('tab=');
  });

  test('downloads a log that has every line', async () => {
    const waiting = page.waitForEvent('download');
    await page.getByLabel('Download the log of north').click();
    const text = readFileSync(await (await waiting).path(), 'utf8');
    for (let tick = 0; tick < 150; tick++) expect(text).toMatch(new RegExp(`\\btick ${tick}\\b`));
  });

  test('finds lines in the log', async () => {
    await lane('north').getByLabel('Search the log of north').fill('tick 3');
    await lane('north').getByText('11 found').waitFor();
    await page.keyboard.press('Enter');
    await lane('north').getByText('1 of 11 found').waitFor();
    await lane('north').locator('[data-hit]').waitFor();
    expect(await lane('north').locator('[data-hit]').innerText()).toContain('tick 3');
  });

  test('duplicates it with another option', async () => {
    await page.getByRole('link', { name: 'Duplicate' }).click();
    await page.getByRole('heading', { name: 'New job, like two-fields' }).waitFor();
    await expect.poll(() => page.getByLabel('--ticks').inputValue()).toBe('150');
    await page.getByLabel('--ticks').fill('4000');
    await page
      .getByText('north: starts at once')
      .or(page.getByText(/north@\S+: starts at once/))
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.waitForURL((url) => /\/jobs\/job_/.test(url.href) && !url.href.includes(job));
    const copy = await server.job(idAt());
    expect(copy.spec).toMatchObject({ args: { ticks: 4000, shape: 'fancy' } });
    expect(copy.tasks.map((task) => task.dataset)).toEqual(
      (await server.job(job)).tasks.map((task) => task.dataset),
    );
  });

  test('says when the server is gone, comes back by itself, and misses no line', async () => {
    await lane('north').locator('[data-state="RUNNING"]').waitFor({ timeout: 60_000 });
    await expect.poll(() => linesOf('north'), { timeout: 90_000 }).toBeGreaterThan(10);
    const seen = await linesOf('north');
    await server.kill();
    await page.getByText('Disconnected from the server').waitFor({ timeout: 15_000 });
    await new Promise((done) => setTimeout(done, 2000));
    await server.up();
    await page.getByText('Disconnected from the server').waitFor({ state: 'detached', timeout: 60_000 });
    await expect.poll(() => linesOf('north'), { timeout: 60_000 }).toBeGreaterThan(seen + 40);
    // The server has every line, in order; and so has the page, from the first to beyond the break.
    const task = (await server.job(idAt())).tasks.find((one) => one.name === 'north')!.id;
    const { items } = await server.client.call(routes.tasks.logs, {
      params: { task },
      query: { limit: 10_000 },
    });
    const ticksOf = (texts: readonly string[]) =>
      texts.flatMap((text) => /tick (\d+)$/.exec(text)?.[1] ?? []).map(Number);
    const kept = ticksOf(items.map((line) => line.text));
    expect(kept).toEqual(kept.map((_, i) => i));
    expect(kept.length).toBeGreaterThan(seen + 30);
    const area = lane('north').locator('section');
    const rows = new Map<number, string>();
    let top = 0;
    await expect
      .poll(
        async () => {
          await area.evaluate((element, at) => {
            element.scrollTop = at;
          }, top);
          await page.waitForTimeout(60);
          const found = await area
            .locator('[data-seq]')
            .evaluateAll((all) =>
              all.map((row) => [Number(row.getAttribute('data-seq')), row.textContent ?? ''] as const),
            );
          for (const [seq, text] of found) if (!text.endsWith('…')) rows.set(seq, text);
          top += 100;
          return ticksOf([...rows.values()]).includes(seen + 30);
        },
        { timeout: 60_000, interval: 20 },
      )
      .toBe(true);
    const shown = ticksOf([...rows].sort((a, b) => a[0] - b[0]).map(([, text]) => text));
    expect(shown).toEqual(shown.map((_, i) => i));
  });

  test('stops it', async () => {
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('button', { name: 'Stop job' }).click();
    for (const name of ['north', 'south']) {
      await lane(name).locator('[data-state="CANCELLED"]').waitFor({ timeout: 60_000 });
    }
    const id = idAt();
    await expect.poll(async () => (await server.job(id)).state).toBe('CANCELLED');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('is driven by keyboard: search, help, palette', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('two-f');
    await expect.poll(() => page.url()).toContain('search=two-f');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Shift+?');
    await page.getByRole('dialog').getByText('Command palette').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Pages, jobs, datasets, commands').fill('topolo');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Topology' }).waitFor();
  });

  test('compares several jobs picked in the list', async () => {
    await page.goto(`${origin}/jobs`);
    await page.getByLabel('Choose all jobs').check();
    await page.getByRole('toolbar').getByText('2 jobs chosen').waitFor();
    await page.getByRole('toolbar').getByRole('link', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: 'Compare' }).waitFor();
    await page.getByText('ticks=4000').waitFor();
  });

  test('had no exception and asked nobody else for anything', () => {
    expect(problems).toEqual([]);
  });
});
