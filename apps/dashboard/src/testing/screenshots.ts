/**
 * Takes a picture of every page at three widths in two schemes, and lists what axe finds:
 * `node src/testing/screenshots.ts --url http://127.0.0.1:8471 --out /tmp/shots [--only jobs] [--widths 1280]`.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: flags } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8471' },
    out: { type: 'string', default: '/tmp/vgpu-shots' },
    only: { type: 'string' },
    widths: { type: 'string', default: '390,1280,2560' },
    schemes: { type: 'string', default: 'light,dark' },
    token: { type: 'string' },
    job: { type: 'string', default: 'churn' },
    task: { type: 'string', default: 'task_000000000000900000' },
    jobs: { type: 'string', default: 'job_000000000000008899,job_000000000000008897,job_000000000000008891' },
    dataset: { type: 'string', default: 'telco-2026' },
    full: { type: 'boolean', default: false },
  },
});

const pages: Record<string, string> = {
  overview: '/',
  jobs: '/jobs',
  new: '/new',
  job: `/jobs/${flags.job}`,
  scores: `/jobs/${flags.job}?tab=scores`,
  config: `/jobs/${flags.job}?tab=config`,
  files: `/jobs/${flags.job}?tab=files`,
  cleaning: `/jobs/${flags.job}?tab=cleaning`,
  task: `/jobs/marathon/tasks/${flags.task}`,
  compare: `/compare?jobs=${flags.jobs}`,
  datasets: '/datasets',
  dataset: `/datasets/${flags.dataset}`,
  changes: `/datasets/${flags.dataset}?tab=cleaning`,
  preview: `/datasets/${flags.dataset}?tab=preview`,
  queue: '/queue',
  topology: '/topology',
  accelerators: '/accelerators',
  images: '/images',
  settings: '/settings',
  'sign-in': '/sign-in',
};

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
});
mkdirSync(flags.out, { recursive: true });
for (const width of flags.widths.split(',').map(Number)) {
  for (const scheme of flags.schemes.split(',') as ('light' | 'dark')[]) {
    const context = await browser.newContext({
      viewport: { width, height: width < 500 ? 844 : width > 2000 ? 1440 : 860 },
      colorScheme: scheme,
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => console.log(`  page error: ${error.message.slice(0, 300)}`));
    page.on(
      'console',
      (line) => line.type() === 'error' && console.log(`  console: ${line.text().slice(0, 300)}`),
    );
    if (flags.token) await page.goto(`${flags.url}/#token=${flags.token}`);
    for (const [name, path] of Object.entries(pages)) {
      if (flags.only && !flags.only.split(',').includes(name)) continue;
      await page.goto(flags.url + path);
      await page.waitForTimeout(1200);
      await page.screenshot({ path: `${flags.out}/${name}-${width}-${scheme}.png`, fullPage: flags.full });
      await page.evaluate(axe);
      const found = (await page.evaluate('axe.run().then((r) => r.violations)')) as {
        id: string;
        impact: string;
        nodes: { target: string[]; failureSummary: string }[];
      }[];
      const sideways = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if ((sideways as number) > 0) console.log(`  ${name} ${width}: scrolls sideways by ${sideways}`);
      for (const one of found) {
        console.log(
          `  ${name} ${width} ${scheme}: ${one.impact} ${one.id} ×${one.nodes.length} ${one.nodes[0]?.target.join(' ')} ${one.impact === 'minor' ? '' : one.nodes[0]?.failureSummary.split('\n')[1]}`,
        );
      }
    }
    await context.close();
  }
}
await browser.close();
