import { expect, test } from 'vitest';
import { closure, parsePackages } from './packages-index.ts';

const INDEX = parsePackages(`Package: app
Version: 1.0-1
Filename: pool/a/app.deb
Size: 10
SHA256: aa
Pre-Depends: libc (>= 2.38)
Depends: tool:any | other-tool, virtual-thing

Package: libc
Version: 2.41
Filename: pool/l/libc.deb
Size: 5
SHA256: bb
Description: a library
 with: a colon on a continuation line

Package: tool
Version: 3
Filename: t
Size: 1
SHA256: cc
Depends: app

Package: zz-provider
Version: 1
Filename: z
Size: 1
SHA256: dd
Provides: virtual-thing (= 1)

Package: a-provider
Version: 1
Filename: y
Size: 1
SHA256: ee
Provides: virtual-thing
`);

test('a closure takes pre-dependencies, first alternatives and providers, once each, sorted', () => {
  expect(closure(INDEX, ['app'], new Set()).map((p) => p.name)).toEqual([
    'a-provider',
    'app',
    'libc',
    'tool',
  ]);
});

test('what is left out is not wanted by anybody', () => {
  expect(closure(INDEX, ['app'], new Set(['tool', 'virtual-thing'])).map((p) => p.name)).toEqual([
    'app',
    'libc',
  ]);
});

test('an unknown package is named with who wants it', () => {
  expect(() => closure(INDEX, ['nope'], new Set())).toThrow('no package nope (wanted by the definition)');
});
