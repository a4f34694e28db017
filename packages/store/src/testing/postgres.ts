import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A PostgreSQL server of one test file's own, on a socket in its own folder. */
export interface TestPostgres {
  /** Address of a new, empty database. */
  database(): string;
  stop(): Promise<void>;
}

function serverPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((v) => join(root, v, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** Ids of the account to run it as: PostgreSQL refuses to run as root. */
function account(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Starts a server, or says why it cannot. */
export async function startPostgres(): Promise<TestPostgres | { skip: string }> {
  const bin = serverPrograms();
  if (!bin) return { skip: 'no PostgreSQL server is installed (apt-get install postgresql)' };
  const folder = mkdtempSync(join(tmpdir(), 'vgpu-pg-'));
  const data = join(folder, 'data');
  const as = account();
  if (as) chownSync(folder, as.uid, as.gid);
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'vgpu', '-A', 'trust', '-E', 'UTF8', '--no-sync'], {
    ...as,
    cwd: folder,
    stdio: 'pipe',
  });
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'],
    {
      ...as,
      cwd: folder,
      stdio: 'ignore',
    },
  );
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const { default: pg } = await import('pg');
  const address = (name: string) => `postgres://vgpu@/${name}?host=${encodeURIComponent(folder)}`;
  const run = async (query: string) => {
    const client = new pg.Client({ connectionString: address('postgres') });
    await client.connect();
    await client.query(query).finally(() => client.end());
  };
  for (let tries = 0; ; tries++) {
    try {
      await run('select 1');
      break;
    } catch (error) {
      if (tries > 600 || server.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  let used = 0;
  return {
    database() {
      const name = `t${used++}`;
      execFileSync(join(bin, 'createdb'), ['-h', folder, '-U', 'vgpu', name], {
        ...as,
        cwd: folder,
        stdio: 'pipe',
      });
      return address(name);
    },
    async stop() {
      // At once: what it holds is of no use any more.
      server.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
