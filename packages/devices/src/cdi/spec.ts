import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { emptyGrant, type Grant } from '../slices/grant.ts';

/** What a CDI device changes in a container. */
export interface CdiEdits {
  env?: string[];
  deviceNodes?: { path: string; hostPath?: string; permissions?: string }[];
  mounts?: { hostPath: string; containerPath: string; options?: string[] }[];
}

/** The Container Device Interface's file format (CNCF), as far as vgpu writes and reads it. */
export interface CdiSpec {
  cdiVersion: string;
  kind: string;
  containerEdits?: CdiEdits;
  devices: { name: string; containerEdits: CdiEdits }[];
}

/** Where engines look for CDI specifications: CDI's own default, or what VGPU_CDI_DIRS names (colon-separated). */
export const cdiDirs = (): string[] =>
  process.env.VGPU_CDI_DIRS?.split(':').filter(Boolean) ?? ['/etc/cdi', '/var/run/cdi'];

/** Every specification that is installed here; broken files are passed over, as the engines do. */
export function installedSpecs(dirs: readonly string[] = cdiDirs()): CdiSpec[] {
  return dirs.filter(existsSync).flatMap((dir) =>
    readdirSync(dir)
      .filter((name) => /\.(ya?ml|json)$/.test(name))
      .sort()
      .flatMap((name): CdiSpec[] => {
        try {
          const spec = parse(readFileSync(join(dir, name), 'utf8')) as CdiSpec;
          return spec?.kind && Array.isArray(spec.devices) ? [spec] : [];
        } catch {
          return [];
        }
      }),
  );
}

/** Writes a specification atomically; engines read it from there. */
export function writeSpec(spec: CdiSpec, dir = cdiDirs().at(-1)!): string {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'vgpu.json');
  writeFileSync(`${path}.tmp`, JSON.stringify(spec, null, 2));
  renameSync(`${path}.tmp`, path);
  return path;
}

/** The specification that names this device: NVIDIA's own where its toolkit wrote one, else ours. */
export function specFor(uuid: string, specs: readonly CdiSpec[]): { spec: CdiSpec; name: string } | null {
  const holders = specs.filter((spec) => spec.devices.some((device) => device.name === uuid));
  const spec = holders.find((one) => one.kind === 'nvidia.com/gpu') ?? holders[0];
  return spec ? { spec, name: `${spec.kind}=${uuid}` } : null;
}

/**
 * A driver's library is mounted under its full name; the short one, by which programs load it, is a link that a
 * hook of the specification makes. Without CDI nobody runs hooks: the library is mounted under the short name too.
 */
function shortName(target: string): string | undefined {
  const [, library] = /\/(lib(?:cuda|cudadebugger|nvidia-[a-z-]+)\.so)\.\d+\.[\d.]+$/.exec(target) ?? [];
  return library && `/usr/lib/${library}.1`;
}

/** A CDI device as plain device nodes, mounts and environment, for engines that do not know CDI. */
export function expand(spec: CdiSpec, name: string): Grant {
  const device = spec.devices.find((one) => one.name === name);
  const grant = emptyGrant();
  for (const edits of [spec.containerEdits, device?.containerEdits]) {
    for (const node of edits?.deviceNodes ?? []) {
      grant.devices.push({
        path: node.hostPath ?? node.path,
        containerPath: node.path,
        permissions: node.permissions ?? 'rw',
      });
    }
    for (const mount of edits?.mounts ?? []) {
      grant.mounts.push({
        source: mount.hostPath,
        target: mount.containerPath,
        readOnly: mount.options?.includes('ro') ?? false,
      });
      const short = shortName(mount.containerPath);
      if (short) grant.mounts.push({ source: mount.hostPath, target: short, readOnly: true });
    }
    for (const entry of edits?.env ?? []) {
      const at = entry.indexOf('=');
      grant.env[entry.slice(0, at)] = entry.slice(at + 1);
    }
  }
  const seen = new Set<string>();
  grant.mounts = grant.mounts.filter(({ target }) => !seen.has(target) && seen.add(target));
  return grant;
}
