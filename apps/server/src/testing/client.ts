import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, routes, VgpuClient } from '@vgpu/api';
import { isJobTerminal } from '@vgpu/core';
import { filesBundle } from './bundle.ts';

const POLL_MS = 20;

/** What tests do with a server, by its API: upload, submit, wait, read. */
export class TestClient extends VgpuClient {
  /** With the admin token of a home. */
  static of(url: string, home: string): TestClient {
    return new TestClient({ url, token: readFileSync(join(home, 'token'), 'utf8').trim() });
  }

  /** Uploads files; returns the bundle's hash. */
  async upload(files: Record<string, string>): Promise<string> {
    const { hash, body } = await filesBundle(files);
    await this.call(routes.bundles.put, { params: { hash }, body: body as never });
    return hash;
  }

  /** Imports a CSV; returns the dataset's name. */
  async importCsv(name: string, csv: string, target?: string): Promise<string> {
    const query = { name, file: `${name}.csv`, ...(target ? { target } : {}) };
    await this.call(routes.datasets.add, { query, body: csv });
    return name;
  }

  /** Submits a script (as main.py) with a spec. */
  async submit(script: string, spec: Record<string, unknown> = {}, key?: string): Promise<Job> {
    const bundle = await this.upload({ 'main.py': script });
    return this.call(
      routes.jobs.submit,
      { body: { spec: { script: 'main.py', ...spec }, bundle } },
      key === undefined ? {} : { idempotencyKey: key },
    );
  }

  job(job: string): Promise<Job> {
    return this.call(routes.jobs.get, { params: { job } });
  }

  /** Waits until the job fits; rejects with its state when it ends without. */
  async until(job: string, fits: (job: Job) => boolean, timeoutMs = 60_000): Promise<Job> {
    for (const deadline = Date.now() + timeoutMs; ; ) {
      const now = await this.job(job);
      if (fits(now)) return now;
      if (isJobTerminal(now.state) || Date.now() > deadline) {
        throw new Error(
          `the job is ${now.state}: ${JSON.stringify(now.tasks.map((t) => [t.state, t.reason, t.waiting]))}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Waits for its end. */
  ended(job: string, timeoutMs?: number): Promise<Job> {
    return this.until(job, (now) => isJobTerminal(now.state), timeoutMs);
  }

  /** The text of a task's lines. */
  async lines(task: string): Promise<string[]> {
    const page = await this.call(routes.tasks.logs, { params: { task } });
    return page.items.map((line) => line.text);
  }
}
