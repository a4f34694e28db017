/**
 * Measures frames a second on the page of a task with a million lines and a hundred live series, while its log
 * follows, then while it is scrolled: `node src/testing/frames.ts --url http://127.0.0.1:8471`.
 */
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: flags } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8471' },
    path: { type: 'string', default: '/jobs/marathon/tasks/task_000000000000900000' },
    seconds: { type: 'string', default: '6' },
  },
});
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
const count = `(seconds) => new Promise((done) => {
  const times = []; const start = performance.now();
  const frame = (now) => { times.push(now); if (now - start < seconds * 1000) requestAnimationFrame(frame); else done(times); };
  requestAnimationFrame(frame);
})`;
async function measure(name: string, during: () => Promise<void>): Promise<void> {
  const running = page.evaluate(`(${count})(${Number(flags.seconds)})`) as Promise<number[]>;
  await during();
  const times = await running;
  const gaps = times
    .slice(1)
    .map((time, i) => time - times[i]!)
    .sort((a, b) => a - b);
  const at = (share: number) => gaps[Math.floor(gaps.length * share)]!.toFixed(1);
  const rate = ((times.length - 1) * 1000) / (times.at(-1)! - times[0]!);
  const late = gaps.filter((gap) => gap > 25).length;
  console.log(
    `${name}: ${rate.toFixed(1)} frames a second; a frame takes ${at(0.5)} ms (p50), ${at(0.99)} ms (p99); ${late} of ${gaps.length} late`,
  );
}
await page.goto('about:blank');
await measure('empty page', async () => undefined);
await page.goto(flags.url + flags.path);
await page.waitForSelector('[data-seq]');
await page.waitForTimeout(2500);
console.log(
  `lines: ${await page.getAttribute('[data-log-total]', 'data-log-total')}, charts drawn: ${await page.locator('.uplot').count()}`,
);
await measure('following', async () => undefined);
await page.locator('section[aria-label^="Log of"]').hover();
await measure('scrolling the log', async () => {
  for (let i = 0; i < Number(flags.seconds) * 25; i++) {
    await page.mouse.wheel(0, i % 80 < 40 ? -260 : 260);
    await page.waitForTimeout(30);
  }
});
await page.locator('section[aria-label="Metrics"]').hover();
await measure('scrolling the charts', async () => {
  for (let i = 0; i < Number(flags.seconds) * 25; i++) {
    await page.mouse.wheel(0, i % 120 < 60 ? 120 : -120);
    await page.waitForTimeout(30);
  }
});
await browser.close();
