import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkNvidia, checkOpenCl } from './accelerator-checks.ts';
import { checkCgroups, checkDisk, checkNode, checkProxy } from './host-checks.ts';

const base = mkdtempSync(join(tmpdir(), 'vgpu-doctor-'));
const folder = () => mkdtempSync(join(base, 'host-'));
afterAll(() => rmSync(base, { recursive: true }));

test('an old Node fails, a current one passes', () => {
  expect(checkNode('20.20.2').level).toBe('fail');
  expect(checkNode('22.17.9').level).toBe('fail');
  expect(checkNode('22.18.0').level).toBe('ok');
  expect(checkNode('24.0.0').level).toBe('ok');
});

test('control groups of both versions are understood', () => {
  const two = folder();
  writeFileSync(join(two, 'cgroup.controllers'), 'cpuset cpu io memory pids\n');
  expect(checkCgroups(two)).toMatchObject({ level: 'ok', text: expect.stringContaining('v2') });
  writeFileSync(join(two, 'cgroup.controllers'), 'cpuset cpu io pids\n');
  expect(checkCgroups(two)).toMatchObject({ level: 'fail', advice: expect.stringContaining('+memory') });
  const one = folder();
  for (const name of ['cpu,cpuacct', 'memory', 'pids']) mkdirSync(join(one, name));
  expect(checkCgroups(one)).toMatchObject({ level: 'ok', text: expect.stringContaining('v1') });
  expect(checkCgroups(join(one, 'nothing')).level).toBe('fail');
});

test('disk is measured where the folder will be', () => {
  expect(checkDisk('disk', join(folder(), 'not/yet/there')).text).toContain('free for');
});

test('a proxy is named without its password', () => {
  expect(checkProxy({ HTTPS_PROXY: 'http://user:secret@proxy:3128' }).text).toContain(
    'proxy http://proxy:3128',
  );
});

test('the NVIDIA driver is found by its version', () => {
  const dev = folder();
  const version = join(dev, 'version');
  expect(checkNvidia(version, dev).text).toContain('no GPU driver');
  writeFileSync(version, 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu\n');
  expect(checkNvidia(version, dev).level).toBe('warn');
  writeFileSync(join(dev, 'nvidia0'), '');
  expect(checkNvidia(version, dev)).toMatchObject({
    level: 'ok',
    text: expect.stringContaining('570.86.15, 1 device'),
  });
});

test('OpenCL platforms are listed', () => {
  const vendors = folder();
  expect(checkOpenCl(vendors).level).toBe('warn');
  writeFileSync(join(vendors, 'pocl.icd'), 'libpocl.so');
  expect(checkOpenCl(vendors)).toMatchObject({ level: 'ok', text: 'pocl' });
});
