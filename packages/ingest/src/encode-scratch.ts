const buffers = new Map<string, ArrayBuffer>();

/**
 * Memory of this thread for what is made again and again: new arrays for each column would keep the collector
 * busy. Good until the same name is asked for again; what stands in it is anything.
 * @param bytes that are needed at least.
 */
export function scratch(name: string, bytes: number): ArrayBuffer {
  let buffer = buffers.get(name);
  if (!buffer || buffer.byteLength < bytes) {
    buffer = new ArrayBuffer(Math.ceil((bytes * 1.25) / 8) * 8);
    buffers.set(name, buffer);
  }
  return buffer;
}
