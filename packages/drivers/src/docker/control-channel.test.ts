import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { connectInside, parseMessage } from './control-channel.ts';

const dir = mkdtempSync(join(tmpdir(), 'vgpu-ctl-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('a message is bounded and typed, whatever is sent', () => {
  fc.assert(
    fc.property(fc.json({ depthSize: 'medium' }), (line) => {
      const message = parseMessage(line);
      if (message) expect(['ready', 'started', 'refused', 'exit']).toContain(message.event);
    }),
  );
  const exit = parseMessage(
    JSON.stringify({
      event: 'exit',
      code: 9999,
      signal: 7,
      oom: 'yes',
      exception: { type: 'x'.repeat(9999), message: 5 },
    }),
  );
  expect(exit).toMatchObject({ code: 9999 & 0xff, signal: null, oom: false, exception: { message: '' } });
  expect((exit as { exception: { type: string } }).exception.type).toHaveLength(200);
});

test('only a socket is connected to: no link, no file, nothing', async () => {
  const path = join(dir, 'real.sock');
  const server = createServer((socket) => socket.end('hi')).listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  symlinkSync(path, join(dir, 'link.sock'));
  writeFileSync(join(dir, 'file.sock'), '');
  const socket = await connectInside(path);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toBe('hi');
  await expect(connectInside(join(dir, 'link.sock'))).rejects.toMatchObject({ code: 'PORT_REFUSED' });
  await expect(connectInside(join(dir, 'file.sock'))).rejects.toMatchObject({ code: 'PORT_REFUSED' });
  await expect(connectInside(join(dir, 'none.sock'))).rejects.toMatchObject({ code: 'WORKER_NOT_FOUND' });
  server.close();
});
