type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The one folder with all state of vgpu on a machine: `VGPU_HOME`; else `/var/lib/vgpu` for root; else
 * `$XDG_STATE_HOME/vgpu` (XDG Base Directory Specification 0.8), which is `~/.local/state/vgpu` by default.
 * @param uid of the calling user; 0 is root.
 */
export function vgpuHome(env: Environment, uid: number | undefined): string {
  if (env.VGPU_HOME) return env.VGPU_HOME;
  if (uid === 0) return '/var/lib/vgpu';
  return env.XDG_STATE_HOME ? `${env.XDG_STATE_HOME}/vgpu` : `${env.HOME ?? '/tmp'}/.local/state/vgpu`;
}

/** Where downloads are kept between builds: `VGPU_CACHE`; `/var/cache/vgpu` for root; else the XDG cache folder. */
export function vgpuCache(env: Environment, uid: number | undefined): string {
  if (env.VGPU_CACHE) return env.VGPU_CACHE;
  if (uid === 0) return '/var/cache/vgpu';
  return env.XDG_CACHE_HOME ? `${env.XDG_CACHE_HOME}/vgpu` : `${env.HOME ?? '/tmp'}/.cache/vgpu`;
}

/** What a running server says about itself in `VGPU_HOME/server.json`; its admin token is in `VGPU_HOME/token`. */
export interface ServerFile {
  pid: number;
  /** Origin, such as `http://127.0.0.1:8470`. */
  url: string;
  version: string;
  /** Milliseconds since 1970. */
  startedAt: number;
}
