/** `Scikit_Learn==1.9` → `scikit-learn` (PyPA name normalisation). */
export function canonicalName(requirement: string): string {
  return (/^[A-Za-z0-9._-]+/.exec(requirement.trim())?.[0] ?? '').replace(/[-_.]+/g, '-').toLowerCase();
}

/**
 * Names that a distribution's `Requires-Dist` entries ask for on Linux with this Python, extras left out.
 * Markers are read as far as wheels use them: comparisons of `extra`, `python_version`, `sys_platform`,
 * `platform_system`, `os_name` and `implementation_name` joined by `and`; anything else counts as true, so that
 * at worst a package too many is taken.
 */
export function neededBy(requirements: string[], python: string): string[] {
  return requirements.filter((r) => markerHolds(r.split(';')[1] ?? '', python)).map(canonicalName);
}

const ENVIRONMENT: Record<string, string> = {
  sys_platform: 'linux',
  platform_system: 'Linux',
  os_name: 'posix',
  implementation_name: 'cpython',
  platform_python_implementation: 'CPython',
};

function markerHolds(marker: string, python: string): boolean {
  if (/\bor\b/.test(marker)) return marker.split(/\bor\b/).some((part) => markerHolds(part, python));
  return marker.split(/\band\b/).every((part) => {
    const found = /([a-z_]+)\s*(==|!=|<=|>=|<|>)\s*["']([^"']*)["']/.exec(part);
    if (!found) return true;
    const [, key, operator, value] = found as unknown as [string, string, string, string];
    if (key === 'extra') return false;
    if (key === 'python_version' || key === 'python_full_version')
      return compare(versionOrder(python, value), operator);
    const ours = ENVIRONMENT[key];
    return ours === undefined || compare(ours === value ? 0 : 1, operator);
  });
}

function versionOrder(a: string, b: string): number {
  const [left, right] = [a, b].map((v) => v.split('.').map(Number)) as [number[], number[]];
  return left[0]! - right[0]! || (left[1] ?? 0) - (right[1] ?? 0);
}

function compare(order: number, operator: string): boolean {
  if (operator === '==') return order === 0;
  if (operator === '!=') return order !== 0;
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
}
