import { type RouteInput, routes } from '@vgpu/api';
import { clientOf, findConnection } from '../context/connection.ts';

/** One thing that may be typed, and what it is. */
export interface Candidate {
  word: string;
  about: string;
}

/** What a server has names for. */
export type Kind = 'job' | 'dataset' | 'image' | 'secret' | 'token' | 'project' | 'pool';

/** More would not be looked at; a shell asks again with more letters. */
const LIMIT = 100;
/** A key was pressed: what takes longer is not worth waiting for. */
const PATIENCE_MS = 1500;

/** The names of a kind that the server knows now; none where it does not answer in time. */
export async function namesOf(kind: Kind): Promise<Candidate[]> {
  const connection = findConnection();
  if (!connection) return [];
  const late = new Promise<Candidate[]>((resolve) => setTimeout(resolve, PATIENCE_MS, []).unref());
  return Promise.race([ask(kind, clientOf(connection)).catch(() => []), late]);
}

async function ask(kind: Kind, client: ReturnType<typeof clientOf>): Promise<Candidate[]> {
  switch (kind) {
    case 'job': {
      const query: RouteInput<typeof routes.jobs.list>['query'] = { limit: LIMIT };
      const { items } = await client.call(routes.jobs.list, { query });
      const known = items.flatMap(({ id, name, state }) => [
        { word: id, about: `${name}, ${state}` },
        { word: name, about: state },
      ]);
      return [{ word: 'latest', about: 'the job that was submitted last' }, ...known];
    }
    case 'dataset': {
      const { items } = await client.call(routes.datasets.list, { query: { limit: LIMIT } });
      return items.map(({ name, latest }) => ({ word: name, about: latest ? `${latest.rows} rows` : '' }));
    }
    case 'image': {
      const { items } = await client.call(routes.images.list, {});
      return items.flatMap(({ name, tags }) => {
        const word = name ?? tags[0];
        return word ? [{ word, about: tags[0] ?? '' }] : [];
      });
    }
    case 'secret': {
      const { items } = await client.call(routes.secrets.list, {});
      return items.map(({ name, bytes }) => ({ word: name, about: `${bytes} bytes` }));
    }
    case 'token': {
      const { items } = await client.call(routes.access.tokens, {});
      return items.map(({ id, name }) => ({ word: id, about: name }));
    }
    case 'project': {
      const { items } = await client.call(routes.projects.list, {});
      return items.map(({ name }) => ({ word: name, about: '' }));
    }
    case 'pool': {
      const { items } = await client.call(routes.accelerators.pools, {});
      return items.map(({ name }) => ({ word: name, about: '' }));
    }
  }
}
