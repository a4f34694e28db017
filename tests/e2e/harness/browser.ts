import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const places = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Where a Chromium is installed; undefined where none is (then the tests in a browser are left out). */
export const chromiumPath: string | undefined = places.find((path) => path !== undefined && existsSync(path));

/** A Chromium with a fresh profile that talks to nobody but the server under test. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
  });
}

/** Problems that a page had: exceptions, and requests that went elsewhere than to its own origin. */
export function watchPage(page: Page, origin: () => string): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    const own = new URL(origin());
    if (url.protocol.startsWith('http') && url.host !== own.host) problems.push(`request to ${url.host}`);
  });
  return problems;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** What axe finds on a page that is serious or critical, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run().then((result) => result.violations)')) as Violation[];
  return found
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .map(
      (one) =>
        `${one.id}: ${one.nodes[0]?.target.join(' ')} (${one.nodes.length}) ${one.nodes[0]?.failureSummary}`,
    );
}

export interface Look {
  width: number;
  scheme: 'light' | 'dark';
}

const heightOf = (width: number): number => (width < 500 ? 844 : width > 2000 ? 1440 : 860);

/** A window of that size and scheme. */
export function openWindow(browser: Browser, { width, scheme }: Look): Promise<BrowserContext> {
  return browser.newContext({ viewport: { width, height: heightOf(width) }, colorScheme: scheme });
}

/** Changes the size of a page's window and waits until it is drawn so. */
export async function resize(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: heightOf(width) });
  await drawn(page);
}

/** Changes between light and dark as the system would, and waits until the page is drawn so. */
export async function recolour(page: Page, scheme: Look['scheme']): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme });
  await page.locator(`html[data-mantine-color-scheme="${scheme}"]`).waitFor();
  await drawn(page);
}

const drawn = (page: Page): Promise<unknown> =>
  page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
