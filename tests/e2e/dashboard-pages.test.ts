import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  chromiumPath,
  openBrowser,
  openWindow,
  recolour,
  resize,
  seriousFindings,
  watchPage,
} from './harness/browser.ts';
import { classification } from './harness/datasets.ts';
import { TestServer } from './harness/test-server.ts';

const script = `
import os, sys
import pandas as pd
import vgpu

table = pd.read_csv(sys.argv[1])
for step in range(20):
    vgpu.log(step, loss=1 / (1 + step))
    print(f'step {step}', flush=True)
target = table[os.environ['VGPU_TARGET']]
vgpu.report(target, [('yes' if a + b > 1 else 'no') for a, b in zip(table['a'], table['b'])])
with open(os.path.join(os.environ['VGPU_OUTPUT'], 'rows.txt'), 'w') as out:
    out.write(str(len(table)))
`;

/** Paths of every page and of each of its tabs; JOB and TASK stand for the ids of one that has ended. */
const paths = [
  '/',
  '/jobs',
  '/jobs?search=nothing-like-it',
  '/new',
  '/new?from=JOB',
  '/jobs/JOB',
  '/jobs/nowhere',
  ...['metrics', 'scores', 'files', 'config', 'cleaning'].map((tab) => `/jobs/JOB?tab=${tab}`),
  '/jobs/JOB/tasks/TASK',
  '/jobs/JOB/tasks/TASK?tab=details',
  '/compare',
  '/compare?jobs=JOB',
  '/datasets',
  '/datasets/north',
  '/datasets/north?tab=cleaning',
  '/datasets/north?tab=preview',
  '/datasets/north?tab=versions',
  '/queue',
  '/topology',
  '/accelerators',
  '/images',
  '/settings',
  '/sign-in',
];

const looks = [
  { width: 1280, scheme: 'light' },
  { width: 390, scheme: 'dark' },
  { width: 2560, scheme: 'light' },
] as const;

describe.skipIf(!chromiumPath)('every page of the dashboard', () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let job: string;
  let task: string;

  beforeAll(async () => {
    server = await TestServer.start();
    const data = [
      server.write('north.csv', classification(200, 3).replace(/^(.*\n.*\n)[\d.]+,/, '$1,')),
      server.write('south.csv', classification(300, 4).replaceAll(',', ';')),
    ];
    const flags = [...data.flatMap((path) => ['--data', path]), '--target', 'label', '--wait', '--json'];
    const done = await server.vgpu(['run', server.write('pages/pages.py', script), ...flags]);
    expect(done.code, done.stderr).toBe(0);
    job = done.json.job;
    task = done.json.tasks[0].id;
    browser = await openBrowser();
    const window = await openWindow(browser, { width: 1280, scheme: 'light' });
    page = await window.newPage();
    problems = watchPage(page, () => server.file.url);
    await page.goto(`${server.file.url}/#token=${server.token}`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const fits = async (what: string) => {
    const beyond = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
    await expect.poll(beyond, { message: `${what} scrolls sideways` }).toBeLessThanOrEqual(0);
  };

  // Both layouts and both schemes are looked at by axe; what fits does not depend on colours.
  test.each(paths)('%s fits 390, 1280 and 2560 px, and axe finds nothing serious', async (path) => {
    await page.goto(server.file.url + path.replace('JOB', job).replace('TASK', task));
    await page.locator('h1').first().waitFor();
    await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
    for (const { width, scheme } of looks) {
      await resize(page, width);
      await recolour(page, scheme);
      await fits(`${path} at ${width} px`);
      if (width < 2000)
        expect(await seriousFindings(page), `${path} at ${width} px in ${scheme}`).toEqual([]);
    }
  });

  test('none of them threw, or asked anybody else', () => {
    expect(problems).toEqual([]);
  });
});
