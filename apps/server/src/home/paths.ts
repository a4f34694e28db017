import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where everything lies under VGPU_HOME. */
export interface HomePaths {
  root: string;
  database: string;
  lock: string;
  serverFile: string;
  token: string;
  /** The keys that seal secrets; for its owner alone. */
  secretKey: string;
  bundles: string;
  datasets: string;
  /** Output files: `<task>/<attempt>/…`. */
  files: string;
  logs: string;
  /** Uploads on their way; emptied at start. */
  temporary: string;
}

/** Lays out the home; its folders are for their owner alone. */
export function homePaths(root: string): HomePaths {
  const paths: HomePaths = {
    root,
    database: join(root, 'state.db'),
    lock: join(root, 'server.lock'),
    serverFile: join(root, 'server.json'),
    token: join(root, 'token'),
    secretKey: join(root, 'secret.key'),
    bundles: join(root, 'bundles'),
    datasets: join(root, 'datasets'),
    files: join(root, 'files'),
    logs: join(root, 'logs'),
    temporary: join(root, 'tmp'),
  };
  mkdirSync(root, { recursive: true, mode: 0o711 });
  for (const folder of [paths.bundles, paths.datasets, paths.files, paths.logs, paths.temporary]) {
    mkdirSync(folder, { recursive: true, mode: 0o711 });
  }
  return paths;
}
