/**
 * What cuGetExportTable hands out: tables of functions that NVIDIA does not document, found by id. Ids, names and
 * meanings are those that the ZLUDA project published (github.com/vosen/ZLUDA, dark_api) and what libcudart 12.9 and
 * 13.5 were seen to ask for.
 */
export const exportTables: readonly {
  readonly id: string;
  readonly name: string;
  /** what becomes of it; `hooked`: entry → our function of the same parameters */
  readonly disposition: 'harmless' | { readonly hooked: Readonly<Record<number, string>> };
  readonly reason: string;
}[] = [
  {
    id: '6bd5fb6c-5bf4-e74a-8987-d93912fd9df9',
    name: 'runtime',
    disposition: 'harmless',
    reason:
      'loads code that a program registered, and names the primary context: what they take is measured; the runtime checks that this table is the driver’s own, so it is not replaced',
  },
  {
    id: 'a094798c-2e74-2e74-93f2-0800200c0a66',
    name: 'tools, call-backs',
    disposition: 'harmless',
    reason: 'buffers of the host for profilers',
  },
  {
    id: '42d85a81-23f6-cb47-8298-f6e78a3aecdc',
    name: 'tools, thread-local storage',
    disposition: 'harmless',
    reason: 'host memory of profilers',
  },
  {
    id: 'c693336e-1121-df11-a8c3-68f355d89593',
    name: 'context-local storage',
    disposition: 'harmless',
    reason: 'keeps a host pointer for each context and key',
  },
  {
    id: '0ca50b8c-1004-929a-89a7-d0df10e77286',
    name: 'context creation',
    disposition: { hooked: { 1: 'cuCtxCreate_v2' } },
    reason: 'creates a context past the exported function: given our own instead, so that it is counted',
  },
  {
    id: '195bcbf4-d67d-024a-acc5-1d29cea631ae',
    name: 'heap',
    disposition: 'harmless',
    reason: 'records in the heap of the driver, on the host',
  },
  {
    id: 'b10541e1-f7c7-c74a-9f64-f223be99f1e2',
    name: 'device, extended',
    disposition: 'harmless',
    reason: 'queries of a device',
  },
  {
    id: 'd4082055-bde6-704b-8d34-ba123c66e1f2',
    name: 'validity',
    disposition: 'harmless',
    reason: 'by it the runtime makes sure that the driver is NVIDIA’s',
  },
  {
    id: '263e8860-7cd2-6143-92f6-bbd5006dfa7e',
    name: 'context checks',
    disposition: 'harmless',
    reason: 'queries of a context',
  },
  {
    id: 'f8cff951-2146-8b4e-b9e2-fb469e7c0dd9',
    name: 'unnamed, asked for first by libcudart 12 and 13, which do without it',
    disposition: 'harmless',
    reason:
      'nothing is called in it before the validity of the driver was established; what it may take is measured',
  },
  {
    id: '21318c60-9714-3248-8ca6-41ff7324c8f2',
    name: 'unnamed, asked for by libcudart 13',
    disposition: 'harmless',
    reason:
      'nothing is called in it before the validity of the driver was established; what it may take is measured',
  },
  {
    id: 'dd9e98a4-f410-4844-99b0-e2aeb7b432b5',
    name: 'hybrid runtime',
    disposition: 'harmless',
    reason: 'loads a runtime library of Windows',
  },
];
