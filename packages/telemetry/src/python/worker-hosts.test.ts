// The worker's end of the control channel, fed by hand: a server may be killed in the middle of an order.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const runtime = new URL('../../../../worker/runtime', import.meta.url).pathname;

/** Sends each piece over the connection of that number, and tells which orders were heard and who was cut off. */
function heard(pieces: readonly (readonly [connection: number, text: string | null])[]): {
  orders: unknown[];
  open: number;
} {
  const code = `
import json, select, socket, sys, tempfile
sys.path.insert(0, sys.argv[1])
from vgpu_hosts import Hosts
orders = []
with tempfile.TemporaryDirectory() as folder:
    hosts = Hosts(folder, select.poll(), list, lambda connection, order: orders.append(order))
    peers = {}
    for number, text in json.loads(sys.argv[2]):
        if number not in peers:
            peers[number], ours = socket.socketpair()
            ours.setblocking(False)
            hosts.connections[ours.fileno()] = ours
            hosts.poll.register(ours.fileno(), select.POLLIN)
        if text is None:
            peers[number].close()
        else:
            peers[number].sendall(text.encode())
        for fd, _ in hosts.poll.poll(0):
            hosts.serve(fd)
    print(json.dumps({'orders': orders, 'open': len(hosts.connections)}))
`;
  const run = spawnSync('python3', ['-B', '-c', code, runtime, JSON.stringify(pieces)], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  return JSON.parse(run.stdout);
}

const order = { op: 'run', id: 'a' };
const line = `${JSON.stringify(order)}\n`;

test('an order may come in pieces', () => {
  expect(
    heard([
      [1, line.slice(0, 5)],
      [1, line.slice(5, 9)],
      [1, line.slice(9)],
    ]),
  ).toEqual({
    orders: [order],
    open: 1,
  });
});

test('half an order of a server that died spoils nothing for the next one', () => {
  expect(
    heard([
      [1, line.slice(0, 8)],
      [1, null],
      [2, line],
    ]),
  ).toEqual({ orders: [order], open: 1 });
  expect(
    heard([
      [1, line.slice(0, 8)],
      [2, line],
      [1, null],
    ]),
  ).toEqual({ orders: [order], open: 1 });
});

test('who sends what is no order is cut off', () => {
  expect(
    heard([
      [1, 'nonsense\n'],
      [2, line],
    ]),
  ).toEqual({ orders: [order], open: 1 });
});
