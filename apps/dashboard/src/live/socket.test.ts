import type { ClientFrame, ServerFrame } from '@vgpu/api';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type WebSocket as Peer, WebSocketServer } from 'ws';
import { StreamSocket } from './socket.ts';

let server: WebSocketServer;
let port = 0;
let peers: Peer[];
let heard: ClientFrame[];
let stream: StreamSocket;

const asked = () => heard.filter((frame) => frame.op !== 'ping');

/** A server of the stream that writes down what it hears. */
async function listen(): Promise<void> {
  peers = [];
  server = new WebSocketServer({ port, host: '127.0.0.1' });
  server.on('connection', (peer) => {
    peers.push(peer);
    peer.on('message', (data) => heard.push(JSON.parse(String(data)) as ClientFrame));
  });
  await new Promise<void>((resolve) => server.once('listening', () => resolve()));
  port = (server.address() as { port: number }).port;
}

async function crash(): Promise<void> {
  for (const peer of peers) peer.terminate();
  await new Promise((resolve) => server.close(resolve));
}

const logs = (topic: string, next: number): ServerFrame => ({
  type: 'logs',
  topic,
  next,
  lines: [],
  dropped: 0,
  open: true,
});

beforeEach(async () => {
  heard = [];
  port = 0;
  await listen();
  stream = new StreamSocket({
    url: () => `ws://127.0.0.1:${port}/v1/stream`,
    backoff: [20, 100],
    heartbeat: 50,
  });
});
afterEach(async () => {
  stream.close();
  await crash();
});

test('subscribes once a topic, hands each frame to all who listen, and unsubscribes with the last', async () => {
  const first = vi.fn();
  const second = vi.fn();
  const leaveFirst = stream.subscribe('logs:a', first, 5);
  const leaveSecond = stream.subscribe('logs:a', second);
  await vi.waitFor(() => expect(asked()).toEqual([{ op: 'subscribe', topic: 'logs:a', from: 5 }]));
  peers[0]!.send(JSON.stringify(logs('logs:a', 7)));
  peers[0]!.send(JSON.stringify(logs('logs:b', 9)));
  await vi.waitFor(() => expect(second).toHaveBeenCalledTimes(1));
  expect(first).toHaveBeenCalledExactlyOnceWith(logs('logs:a', 7));
  leaveFirst();
  leaveSecond();
  await vi.waitFor(() => expect(asked().at(-1)).toEqual({ op: 'unsubscribe', topic: 'logs:a' }));
  expect(asked()).toHaveLength(2);
});

test('after a break it subscribes again from the offset that follows the last frame, and tells', async () => {
  const resumed = vi.fn();
  stream.onResumed(resumed);
  const frames = vi.fn();
  stream.subscribe('logs:a', frames, 0);
  await vi.waitFor(() => expect(peers).toHaveLength(1));
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  peers[0]!.send(JSON.stringify(logs('logs:a', 1234)));
  await vi.waitFor(() => expect(frames).toHaveBeenCalledTimes(1));
  expect(resumed).not.toHaveBeenCalled();
  await crash();
  await vi.waitFor(() => expect(stream.status.brokenAt).not.toBeNull());
  heard = [];
  await listen();
  await vi.waitFor(() => expect(asked()).toEqual([{ op: 'subscribe', topic: 'logs:a', from: 1234 }]));
  await vi.waitFor(() => expect(resumed).toHaveBeenCalledTimes(1));
  expect(stream.status).toMatchObject({ state: 'open', brokenAt: null, retryAt: null });
});

test('takes a peer that answers no ping for dead, and connects anew', async () => {
  stream.subscribe('topology', () => undefined);
  await vi.waitFor(() => expect(heard.some((frame) => frame.op === 'ping')).toBe(true));
  await vi.waitFor(() => expect(peers.length).toBeGreaterThan(1));
});
