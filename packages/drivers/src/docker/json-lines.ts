/**
 * Splits a byte stream into JSON values, one per line (the engine's events and build output). A line over
 * `maxBytes` or one that is no JSON is skipped: what a build prints must not end its reader.
 */
export async function* jsonLines<T>(source: AsyncIterable<Buffer>, maxBytes = 1 << 20): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  let rest = '';
  let skipping = false;
  for await (const chunk of source) {
    rest += decoder.decode(chunk, { stream: true });
    let at = rest.indexOf('\n');
    while (at >= 0) {
      const line = rest.slice(0, at).trim();
      rest = rest.slice(at + 1);
      if (!skipping && line) {
        const value = parse<T>(line);
        if (value !== undefined) yield value;
      }
      skipping = false;
      at = rest.indexOf('\n');
    }
    if (rest.length > maxBytes) {
      rest = '';
      skipping = true;
    }
  }
  const value = skipping ? undefined : parse<T>(rest.trim());
  if (value !== undefined) yield value;
}

function parse<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}
