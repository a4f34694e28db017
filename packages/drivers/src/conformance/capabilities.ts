import { expect, test } from 'vitest';
import { RingDrain } from '../testing/worker-harness.ts';
import { canConnectPorts, canUpdateLimits } from '../types.ts';
import { type Bench, until } from './bench.ts';

/** What a running worker is asked for: figures, other limits, its ports. */
export function capabilityTests(at: Bench): void {
  test('statistics, and limits changed while it runs', async () => {
    const handle = await at.driver.start(
      at.harness.launch(
        'print("up", flush=True)\nimport time\ntime.sleep(0.6)\nx = bytearray(300 << 20)\nx[::4096] = b"1" * len(x[::4096])\nprint("held", flush=True)',
      ),
    );
    const stats = await at.driver.stats(handle);
    expect(stats!.pids).toBeGreaterThanOrEqual(2);
    expect(stats!.memoryBytes).toBeGreaterThan(1024 * 1024);
    expect(stats!.memoryLimitBytes).toBe(256 * 1024 * 1024);
    if (!canUpdateLimits(at.driver)) throw new Error('this suite expects updateLimits');
    await at.driver.updateLimits(handle, { memoryBytes: 512 * 1024 * 1024 });
    expect((await at.driver.wait(handle)).reason).toBe('completed');
    await at.driver.destroy(handle);
  });

  test('ports: declared ones are reached, others refused', async () => {
    if (!canConnectPorts(at.driver)) return;
    const script = `
import http.server, threading
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'hello from inside')
s = http.server.ThreadingHTTPServer(('127.0.0.1', 6006), H)
print('listening', flush=True)
s.serve_forever()
`;
    const handle = await at.driver.start(at.harness.launch(script, { ports: [6006] }));
    const drain = new RingDrain(handle.ringPath);
    await until(() => drain.stdout.includes('listening'));
    const connect = at.driver.connectPort.bind(at.driver);
    const get = async () => {
      const stream = await connect(handle, 6006);
      stream.write('GET / HTTP/1.0\r\n\r\n');
      let text = '';
      for await (const chunk of stream) text += chunk;
      return text;
    };
    const pages = await Promise.all([get(), get(), get()]);
    for (const page of pages) expect(page).toContain('hello from inside');
    await expect(at.driver.connectPort(handle, 22)).rejects.toMatchObject({ code: 'PORT_REFUSED' });
    drain.close();
    await at.driver.destroy(handle);
  });
}
