/** Tells its listeners at most once a frame, however often something changes. */
export class Batched {
  #listeners = new Set<() => void>();
  #pending = false;
  version = 0;

  listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  changed(): void {
    this.version++;
    if (this.#pending) return;
    this.#pending = true;
    const frame = globalThis.requestAnimationFrame ?? ((run: () => void) => setTimeout(run, 16));
    frame(() => {
      this.#pending = false;
      for (const tell of this.#listeners) tell();
    });
  }
}
