import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { RingDrain } from '../testing/worker-harness.ts';
import { type Bench, until } from './bench.ts';

/** What a worker can reach. */
export function isolationTests(at: Bench): void {
  describe('isolation', () => {
    test('no privilege, no network, nothing to write but its own', async () => {
      const script = `
import json, os, socket
r = {}
status = dict(l.split(':', 1) for l in open('/proc/self/status').read().splitlines())
r['uid'] = os.getuid(); r['caps'] = status['CapEff'].strip(); r['bounding'] = status['CapBnd'].strip()
r['nnp'] = status['NoNewPrivs'].strip(); r['seccomp'] = status['Seccomp'].strip()
def blocked(f):
    try: f(); return 'allowed'
    except OSError as e: return e.strerror
r['root'] = blocked(lambda: open('/evil', 'w'))
r['data'] = blocked(lambda: open(os.environ['VGPU_DATASET'], 'a'))
r['bundle'] = blocked(lambda: open('/vgpu/in/bundle/x', 'w'))
r['runtime'] = blocked(lambda: open('/vgpu/runtime/supervisor.py', 'a'))
r['connect'] = blocked(lambda: socket.create_connection(('1.1.1.1', 53), 2))
r['interfaces'] = sorted(n for _, n in socket.if_nameindex())
r['init'] = blocked(lambda: os.readlink('/proc/1/fd/0'))
r['kill'] = blocked(lambda: os.kill(1, 9))
r['sockets'] = [p for p in ('/var/run/docker.sock', '/run/docker.sock', '/run/podman/podman.sock') if os.path.exists(p)]
r['ptrace'] = __import__('ctypes').CDLL(None, use_errno=True).ptrace(0, 0, 0, 0)
r['unshare'] = __import__('ctypes').CDLL(None, use_errno=True).unshare(0x10000000)
print(json.dumps(r))
`;
      const done = await at.harness.run(at.driver, script);
      const seen = JSON.parse(done.stdout) as Record<string, unknown>;
      const { engine, rootless } = await at.driver.fingerprint();
      // A rootless Docker's 0 is the user who runs it, here without a capability like anybody else.
      if (engine !== 'docker' || !rootless) expect(seen.uid).not.toBe(0);
      expect(seen).toMatchObject({
        caps: '0000000000000000',
        bounding: '0000000000000000',
        nnp: '1',
        seccomp: '2',
      });
      expect(seen).toMatchObject({ root: 'Read-only file system', bundle: 'Read-only file system' });
      // These belong to another user besides.
      for (const file of ['data', 'runtime'])
        expect(seen[file]).toMatch(/Read-only file system|Permission denied/);
      expect(seen.connect).toBe('Network is unreachable');
      expect(seen.interfaces).toEqual(['lo']);
      expect(seen).toMatchObject({ init: 'Permission denied', sockets: [], ptrace: -1, unshare: -1 });
      // The kernel drops a signal that would end a namespace's first process: allowed, and without effect.
      expect(done.exit.reason).toBe('completed');
    });
  });

  test('egress reaches neither the host’s services nor another worker nor link-local addresses', async () => {
    if (!(await at.driver.fingerprint()).capabilities.egress)
      return console.warn(`skipped: ${at.name} offers no egress here`);
    const listener = createServer((socket) => socket.end('host service')).listen(0, '0.0.0.0');
    await new Promise((resolve) => listener.once('listening', resolve));
    const port = (listener.address() as { port: number }).port;
    const hosts = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter((a) => a.family === 'IPv4').map((a) => a.address),
    );
    const peer = await at.driver.start(
      at.harness.launch(
        'import http.server, socket\nprint(socket.gethostbyname(socket.gethostname()), flush=True)\nhttp.server.HTTPServer(("0.0.0.0", 8080), http.server.SimpleHTTPRequestHandler).serve_forever()',
        { network: 'egress' },
      ),
    );
    const drain = new RingDrain(peer.ringPath);
    await until(() => drain.stdout.includes('\n'));
    const address = drain.stdout.trim();
    const targets = [
      ...hosts.map((h) => [h, port]),
      [address.replace(/\d+$/, '1'), port],
      [address, 8080],
      ['169.254.169.254', 80],
    ];
    const done = await at.harness.run(
      at.driver,
      `
import socket
print('interfaces', len(socket.if_nameindex()))
for host, port in ${JSON.stringify(targets)}:
    try: socket.create_connection((host, port), 1); print('REACHED', host, port)
    except OSError: print('blocked', host, port)
`,
      { network: 'egress' },
    );
    listener.close();
    drain.close();
    await at.driver.destroy(peer);
    expect(done.stdout).toContain('interfaces 2');
    expect(done.stdout).not.toContain('REACHED');
    expect(done.stdout.split('\n').filter((l) => l.startsWith('blocked'))).toHaveLength(targets.length);
  });
}
