import { connect } from 'node:net';

/** What a slice may use; see native/README.md for each field. */
export interface SliceBounds {
  id: string;
  /** Bytes; 0 = no cap. */
  memory: number;
  /** Milli-GPU that it gets whenever it wants it. */
  share: number;
  /** Milli-GPU that it never exceeds; absent: the arbiter's default for its class. */
  limit?: number;
  qos: 'guaranteed' | 'burstable' | 'best-effort';
  /** Memory that the device hands out for each that it has, above 1: what the slice holds may leave the device. */
  scaling?: number;
  /** The pipe directory of the MPS daemon that its processes are clients of. */
  mps?: string;
  /** The folder of the control group that its processes are in: NVIDIA's driver holds that to its memory, where it can. */
  cgroup?: string;
  /** Slices of this name on other accelerators of the machine have their turns at the same time. */
  gang?: string;
  /** The accelerator as its API names it; absent: every device that the process sees. */
  device?: string;
}

export class ArbiterError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'ArbiterError';
    this.code = code;
  }
}

/** One request to an arbiter's control socket, one answer of one or more lines. */
async function request(socketPath: string, line: string, timeoutMs = 5000): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = '';
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const check = () => {
      const lines = text.split('\n').slice(0, -1);
      const head = lines[0];
      if (head === undefined) return;
      if (head.startsWith('error ')) {
        const [, code = 'unknown', message = head] = /code=(\S+) message=(.*)/.exec(head) ?? [];
        return fail(new ArbiterError(code, message));
      }
      const more = Number(/ n=(\d+)/.exec(head)?.[1] ?? 0);
      if (lines.length < more + 1) return;
      socket.destroy();
      resolve(lines);
    };
    socket.setTimeout(timeoutMs, () => fail(new ArbiterError('timeout', `no answer from ${socketPath}`)));
    socket.on('error', fail);
    socket.on('close', () => fail(new ArbiterError('closed', `${socketPath} hung up`)));
    socket.setEncoding('utf8').on('data', (data) => {
      text += data;
      check();
    });
    socket.write(`${line}\n`);
  });
}

/** Speaks to the arbiter of one accelerator. Every method throws ArbiterError, or a socket error where none runs. */
export class ArbiterClient {
  readonly #socket: string;

  constructor(dir: string) {
    this.#socket = `${dir}/control.sock`;
  }

  async ping(): Promise<void> {
    await request(this.#socket, 'ping', 1000);
  }

  /** Makes the slice; gives its folder. */
  async add(slice: Readonly<SliceBounds>): Promise<string> {
    const words = [`id=${slice.id}`, `memory=${slice.memory}`, `share=${slice.share}`, `qos=${slice.qos}`];
    if (slice.limit !== undefined) words.push(`limit=${slice.limit}`);
    if (slice.scaling) words.push(`scaling=${Math.round(slice.scaling * 1000)}`);
    if (slice.mps) words.push(`mps=${slice.mps}`);
    if (slice.gang) words.push(`gang=${slice.gang}`);
    if (slice.cgroup) words.push(`cgroup=${encodeURI(slice.cgroup)}`);
    if (slice.device) words.push(`device=${slice.device}`);
    const [head] = await request(this.#socket, `add ${words.join(' ')}`);
    return /dir=(.*)$/.exec(head!)![1]!;
  }

  /** Says which control group the slice's processes are in. */
  async confine(id: string, cgroup: string): Promise<void> {
    await request(this.#socket, `set id=${id} cgroup=${encodeURI(cgroup)}`);
  }

  /** Removes the slice; one that is gone already is fine. */
  async remove(id: string): Promise<void> {
    await request(this.#socket, `remove id=${id}`).catch((error) => {
      if (!(error instanceof ArbiterError && error.code === 'not_found')) throw error;
    });
  }

  async list(): Promise<{ id: string; processes: number; memoryUsed: number; deviceNs: number }[]> {
    const [, ...rows] = await request(this.#socket, 'list');
    return rows.map((row) => {
      const field = (name: string) => new RegExp(`(?:^| )${name}=(\\S+)`).exec(row)?.[1] ?? '';
      return {
        id: field('id'),
        processes: Number(field('processes')),
        memoryUsed: Number(field('memory_used')),
        deviceNs: Number(field('device_ns')),
      };
    });
  }
}
