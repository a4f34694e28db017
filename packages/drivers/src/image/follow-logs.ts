import type { EngineClient } from '../docker/client.ts';

/** Lines longer than this are cut: a build's output is shown, not kept. */
const MAX_LINE = 16 * 1024;

/**
 * Hands over a container's output line by line until it ends. The engine frames it: 8 bytes (stream, 3 zero
 * bytes, big-endian length) before each piece (Docker API, "attach").
 */
export async function followLogs(
  client: EngineClient,
  id: string,
  signal: AbortSignal | undefined,
  onLine: (line: string) => void,
): Promise<void> {
  const source = await client.stream('GET', `/containers/${id}/logs`, {
    query: { follow: true, stdout: true, stderr: true },
    signal,
    timeoutMs: 0,
  });
  const decoder = new TextDecoder();
  let frames: Buffer = Buffer.alloc(0);
  let text = '';
  const emit = (final: boolean) => {
    const lines = text.split(/\r?\n|\r/);
    text = final ? '' : (lines.pop() ?? '').slice(-MAX_LINE);
    for (const line of lines) if (line.trim()) onLine(line.slice(0, MAX_LINE));
  };
  for await (const chunk of source) {
    frames = frames.length > 0 ? Buffer.concat([frames, chunk as Buffer]) : (chunk as Buffer);
    while (frames.length >= 8) {
      const length = frames.readUInt32BE(4);
      if (frames.length < 8 + length) break;
      text += decoder.decode(frames.subarray(8, 8 + length), { stream: true });
      frames = frames.subarray(8 + length);
    }
    emit(false);
  }
  emit(true);
}
