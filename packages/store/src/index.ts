export type { Backend, DialectName, Transaction } from './backend.ts';
export { appendEvent, type NewEvent } from './events/append-event.ts';
export { type TransitionRequest, type TransitionResult, transition } from './events/transition.ts';
export { latestVersion } from './migrations/catalogue.ts';
export type * from './schema/tables.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
