import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../context/root.ts';

const programs = ['id', 'mkdir', 'readlink', 'sha512sum', 'tar', 'gzip', 'uname', 'rm', 'mv', 'tail', 'find'];
const place = mkdtempSync(join(tmpdir(), 'vgpu-launcher-'));
const asked: string[] = [];
let server: Server;
let registry: string;

/** A machine with the essential programs and those of `more`, but neither Node nor npm. */
function machine(name: string, more: readonly string[]): string {
  const bin = join(place, name);
  mkdirSync(bin);
  for (const program of [...programs, ...more]) {
    const found = ['/usr/bin', '/bin'].map((folder) => join(folder, program)).find(existsSync);
    if (found) symlinkSync(found, join(bin, program));
  }
  // Not root, so that nothing is installed.
  rmSync(join(bin, 'id'));
  writeFileSync(join(bin, 'id'), '#!/bin/sh\necho 1000\n', { mode: 0o755 });
  return bin;
}

function launch(bin: string): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const env = { PATH: bin, HOME: place, VGPU_CACHE: join(place, 'cache'), npm_config_registry: registry };
    const child = spawn(join(place, 'vgpu'), ['--version'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('close', (code) => resolve({ code, stderr }));
  });
}

beforeAll(async () => {
  cpSync(join(root, 'vgpu'), join(place, 'vgpu'));
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('not what was expected');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => {
  server.close();
  rmSync(place, { recursive: true });
});

test('without Node, npm, curl and wget it says what to install', async () => {
  const { code, stderr } = await launch(machine('bare', []));
  expect(code).toBe(3);
  expect(stderr).toContain('neither npm nor curl nor wget');
  expect(stderr).toContain('apt-get install curl');
});

test('a Node that is not the expected one is refused, and nothing of it stays', async () => {
  const { code, stderr } = await launch(machine('curl', ['curl', 'wget']));
  expect(asked[0]).toMatch(/^\/node-linux-(x64|arm64)\/-\/node-linux-\1-24\.\d+\.\d+\.tgz$/);
  expect(code).toBe(3);
  expect(stderr).toContain('SHA-512 differs');
  expect(readdirSync(join(place, 'cache'))).toEqual([]);
});
