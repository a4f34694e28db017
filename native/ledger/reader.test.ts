import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LEDGER_MAGIC, LedgerError, parseLedger, readLedger } from './reader.ts';

const dir = mkdtempSync(join(tmpdir(), 'vgpu-ledger-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function ledger(): Buffer {
  const b = Buffer.alloc(4096 + 512 * 256);
  b.writeBigUInt64LE(LEDGER_MAGIC, 0);
  b.writeUInt32LE(1, 8);
  b.writeUInt32LE(512, 12);
  b.writeUInt32LE(256, 16);
  b.writeUInt32LE(4096, 20);
  b.write('GPU-1', 48);
  return b;
}

describe('the ledger reader', () => {
  it('reads a row where the layout has it', () => {
    const b = ledger();
    const at = 4096 + 512 * 3;
    b.writeBigUInt64LE(1n, at + 8);
    b.write('job-1', at + 16);
    for (const [i, v] of [250n, 500n, 0n, 1n, 0n, 1024n, 77n].entries())
      b.writeBigUInt64LE(v, at + 64 + i * 8);
    b.writeBigUInt64LE(55n, at + 64 + 8 * 8); // memory[pool]
    b.writeBigUInt64LE(123456789n, at + 64 + 18 * 8);
    b.writeBigUInt64LE(4n, 144);
    const read = parseLedger(b);
    expect(read.device).toBe('GPU-1');
    expect(read.holder).toBe('job-1');
    expect(read.slices).toHaveLength(1);
    expect(read.slices[0]).toMatchObject({
      id: 'job-1',
      shareMilli: 250,
      limitMilli: 500,
      qos: 'guaranteed',
      critical: true,
      memoryCap: 1024,
      memoryUsed: 77,
      deviceNs: 123456789,
    });
    expect(read.slices[0]?.memory.pool).toBe(55);
  });

  it('leaves out a row that is being changed', () => {
    const b = ledger();
    b.writeBigUInt64LE(3n, 4096);
    b.writeBigUInt64LE(1n, 4096 + 8);
    expect(parseLedger(b).slices).toEqual([]);
  });

  it('refuses what is no ledger, another version, and a part of one', () => {
    expect(() => parseLedger(Buffer.alloc(10))).toThrow(LedgerError);
    expect(() => parseLedger(Buffer.alloc(8192))).toThrow('not a ledger');
    const other = ledger();
    other.writeUInt32LE(2, 8);
    expect(() => parseLedger(other)).toThrow('version 2');
    expect(() => parseLedger(ledger().subarray(0, 9000))).toThrow('cut short');
    writeFileSync(join(dir, 'x'), 'hello');
    expect(() => readLedger(join(dir, 'x'))).toThrow(LedgerError);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 6000 }), (bytes) => {
        const b = ledger();
        b.set(bytes, 8);
        try {
          parseLedger(b);
        } catch (error) {
          if (!(error instanceof LedgerError)) throw error;
        }
      }),
    );
  });
});
