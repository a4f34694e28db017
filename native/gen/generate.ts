// Makes limiter/generated/ from the list of entry points: node native/gen/generate.ts
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dispositionOf, type Hook, hookOf, nvmlHooks, openclOwn, openclWork } from './entrypoints.ts';
import { exportTables } from './export-tables.ts';
import { type DriverSymbol, parseSymbols } from './symbols.ts';

const here = import.meta.dirname;
const types: Record<string, string> = {
  p: 'void *',
  d: 'CUdeviceptr ',
  s: 'CUstream ',
  z: 'size_t ',
  q: 'unsigned long long ',
  u: 'unsigned ',
  i: 'int ',
  h: 'unsigned short ',
  b: 'unsigned char ',
};

function typeOf(letter: string): string {
  const type = types[letter];
  if (!type) throw new Error(`no parameter type ${letter}`);
  return type;
}

const parameters = (signature: string): string =>
  signature === '' ? 'void' : [...signature].map((c, i) => `${typeOf(c)}a${i}`).join(', ');
const argumentsOf = (signature: string): string => [...signature].map((_, i) => `a${i}`).join(', ');
const castOf = (signature: string): string =>
  `CUresult (*)(${[...signature].map((c) => typeOf(c).trim()).join(', ')})`;

/** A UUID as the text of a C string. */
const bytesOf = (id: string): string => id.replaceAll('-', '').replaceAll(/../g, '\\x$&');

/** How the memory that the work uses is seen, where an over-committed slice has to know. */
function seen(s: DriverSymbol, hook: Extract<Hook, { kind: 'work' }>): string {
  const at = hook.signature.indexOf('s');
  const stream = at < 0 ? 'NULL' : `a${at}`;
  const p = hook.parameters;
  if (p !== undefined) {
    const extra = p + 1 < hook.signature.length ? `a${p + 1}` : 'NULL';
    return `\n  VGPU_SAW(vgpu_saw_launch(a0, a${p}, ${extra}, ${stream}, ${s.thread}));`;
  }
  return [...hook.signature]
    .flatMap((c, i) => (c === 'd' ? [`\n  VGPU_SAW(vgpu_saw_pointer(a${i}, ${stream}, ${s.thread}));`] : []))
    .join('');
}

/** A symbol's hook body, for the uniform ones. */
function workBody(s: DriverSymbol, hook: Extract<Hook, { kind: 'work' }>, id: number): string {
  const stream = hook.signature.indexOf('s');
  const g = hook.grid;
  const grid = g === undefined ? '0' : `(uint64_t)a${g} * a${g + 1} * a${g + 2}`;
  const key = hook.key === undefined ? `${id}` : `vgpu_work_key(a${hook.key}, ${grid})`;
  return `VGPU_EXPORT CUresult ${s.symbol}(${parameters(hook.signature)}) {
  struct vgpu_work work;
  CUresult result = vgpu_work_begin(&work, ${stream < 0 ? 'NULL' : `a${stream}`}, ${s.thread}, ${key});
  if (result) return result;${seen(s, hook)}
  result = VGPU_CALL(${s.symbol}, ${castOf(hook.signature)})(${argumentsOf(hook.signature)});
  vgpu_work_end(&work, result);
  return result;
}`;
}

/** The OpenCL layer's table and its uniform hooks. */
function opencl(dispatch: readonly string[], note: string): Map<string, string> {
  const hooked = [...Object.keys(openclWork), ...openclOwn];
  const unknown = hooked.filter((name) => !dispatch.includes(name));
  if (unknown.length > 0) throw new Error(`not in the dispatch table: ${unknown.join(', ')}`);
  const bodies = Object.entries(openclWork).map(([name, { signature, key }], i) => {
    const named =
      key === undefined
        ? `${i + 1}`
        : `vgpu_opencl_key(a${key}, ${name === 'clEnqueueTask' ? '0, NULL' : 'a2, a4'})`;
    return `static int layer_${name}(${parameters(signature)}) {
  struct vgpu_lane *lane;
  uint64_t key = ${named};
  int result = vgpu_opencl_begin(&lane, a0, key);
  if (result) return result;
  result = OPENCL_CALL(${name}, ${castOf(signature).replace('CUresult', 'int')})(${argumentsOf(signature)});
  if (lane) vgpu_gate_exit(lane, key, result == 0);
  return result;
}`;
  });
  return new Map([
    [
      'opencl_dispatch.inc',
      `${note}// The dispatch table of the OpenCL loader, in its order.\n${dispatch.map((n) => `ENTRY(${n})`).join('\n')}\n`,
    ],
    ['opencl_work.inc', `${note}${bodies.join('\n')}\n`],
    ['opencl_hooks.inc', `${note}${hooked.map((n) => `HOOK(${n})`).join('\n')}\n`],
  ]);
}

/** File name → content. */
export function generate(symbols: readonly DriverSymbol[], dispatch: readonly string[]): Map<string, string> {
  const note = '// Made by gen/generate.ts from gen/entrypoints.ts; not to be edited.\n';
  const hooked = symbols.filter((s) => hookOf(s.symbol));
  const refused = symbols.filter((s) => dispositionOf(s.symbol).kind === 'refused');
  const out = opencl(dispatch, note);
  const prototypes = hooked.map(
    (s) => `CUresult ${s.symbol}(${parameters((hookOf(s.symbol) as Hook).signature)});`,
  );
  out.set('prototypes.h', `${note}${prototypes.join('\n')}\n`);
  out.set(
    'symbols.inc',
    `${note}// Sorted by name. SYMBOL(hooked symbol)\n${hooked.map((s) => `SYMBOL(${s.symbol})`).join('\n')}\n`,
  );
  out.set(
    'versions.inc',
    `${note}// VERSION(name for cuGetProcAddress, introduced in, per-thread default stream, function)\n${[
      ...hooked,
      ...refused,
    ]
      .filter((s) => s.version !== undefined || s.base === 'cuGetProcAddress')
      .sort((a, b) =>
        a.base === b.base ? (a.version ?? 12000) - (b.version ?? 12000) : a.base < b.base ? -1 : 1,
      )
      .map(
        (s) =>
          `VERSION(${s.base}, ${s.version ?? 12000}, ${s.thread ? 1 : 0}, ${hookOf(s.symbol) ? s.symbol : 'refuse'})`,
      )
      .join('\n')}\n`,
  );
  const bodies = hooked.flatMap((s, i) => {
    const hook = hookOf(s.symbol) as Hook;
    return hook.kind === 'work' ? [workBody(s, hook, i + 1)] : [];
  });
  out.set('work.inc', `${note}${bodies.join('\n')}\n`);
  out.set(
    'refused.inc',
    `${note}${refused.map((s) => `REFUSED(${s.symbol}) // ${(dispositionOf(s.symbol) as { reason: string }).reason}`).join('\n')}\n`,
  );
  out.set(
    'tables.inc',
    `${note}// Of cuGetExportTable. KNOWN(id, name), HOOKED(id, entry, our function)
${exportTables.map((t) => `KNOWN("${bytesOf(t.id)}", "${t.name}")\n`).join('')}${exportTables
  .flatMap((t) =>
    t.disposition === 'harmless'
      ? []
      : Object.entries(t.disposition.hooked).map(
          ([entry, hook]) => `HOOKED("${bytesOf(t.id)}", ${entry}, ${hook})\n`,
        ),
  )
  .join('')}`,
  );
  // What the test double has: all of the driver API, most of it as a stub.
  out.set(
    '../../fakedriver/generated/symbols.inc',
    `${note}// SYMBOL(symbol, name for cuGetProcAddress, introduced in (0: not known), per-thread default stream)\n${symbols
      .map((s) => `SYMBOL(${s.symbol}, ${s.base}, ${s.version ?? 0}, ${s.thread ? 1 : 0})`)
      .join('\n')}\n`,
  );
  out.set(
    'nvml.inc',
    `${note}${Object.keys(nvmlHooks)
      .sort()
      .map((name) => `SYMBOL(${name})`)
      .join('\n')}\n`,
  );
  return out;
}

/** What the committed tables give. */
export function generateAll(): Map<string, string> {
  const read = (name: string): string => readFileSync(join(here, name), 'utf8');
  return generate(parseSymbols(read('cuda-symbols.txt')), read('opencl-dispatch.txt').trim().split('\n'));
}

export const folder = join(here, '../limiter/generated');

if (import.meta.main) {
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(folder, '../../fakedriver/generated'), { recursive: true });
  for (const [name, text] of generateAll()) writeFileSync(join(folder, name), text);
}
