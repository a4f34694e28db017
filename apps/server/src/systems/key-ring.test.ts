import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { KeyRing } from './key-ring.ts';

const folder = mkdtempSync(join(tmpdir(), 'vgpu-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string) => join(folder, name);

test('the key file is made once, for its owner alone, and opens what it sealed before', () => {
  const path = file('once.key');
  const { keyId, sealed } = KeyRing.open(path).seal('p', Buffer.from('value'));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).filter((name) => name.startsWith('once'))).toEqual(['once.key']);
  const again = KeyRing.open(path);
  expect(again.unseal('p', { keyId, sealed })?.toString()).toBe('value');
  expect(again.unseal('another purpose', { keyId, sealed })).toBeUndefined();
  expect(KeyRing.open(file('other.key')).unseal('p', { keyId, sealed })).toBeUndefined();
});

test('any value comes back as it was; a changed byte is noticed; the same value is never sealed alike', () => {
  const ring = KeyRing.open(file('any.key'));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, at) => {
      const value = Buffer.from(bytes);
      const { keyId, sealed } = ring.seal('p', value);
      expect(ring.unseal('p', { keyId, sealed })?.equals(value)).toBe(true);
      expect(ring.seal('p', value).sealed).not.toBe(sealed);
      const body = Buffer.from(sealed, 'base64');
      body[at % body.length]! ^= 1;
      expect(ring.unseal('p', { keyId, sealed: body.toString('base64') })).toBeUndefined();
    }),
  );
  expect(ring.unseal('p', { keyId: ring.current, sealed: '' })).toBeUndefined();
});

test('a new key seals from then on; the old one opens until it is forgotten, across restarts', () => {
  const path = file('renewed.key');
  const ring = KeyRing.open(path);
  const before = ring.seal('p', Buffer.from('old'));
  ring.renew();
  expect(ring.current).not.toBe(before.keyId);
  expect(KeyRing.open(path).unseal('p', before)?.toString()).toBe('old');
  expect(KeyRing.open(path).current).toBe(ring.current);
  ring.forgetOld();
  expect(KeyRing.open(path).knows(before.keyId)).toBe(false);
  expect(JSON.parse(readFileSync(path, 'utf8')).keys).toHaveLength(1);
});

test('a damaged file is refused without a word of what is in it, and is not replaced', () => {
  for (const [i, text] of [
    '{"keys": [{"id": "a", "key": "c2hvcnQ="}]}',
    'not json',
    '{"keys": []}',
  ].entries()) {
    const path = file(`bad-${i}.key`);
    writeFileSync(path, text, { mode: 0o644 });
    expect(() => KeyRing.open(path)).toThrow(/the key file .* is damaged/);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }
});
