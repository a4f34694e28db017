import type { SecretUse } from '@vgpu/core';

/**
 * How a job uses a secret that was just chosen: as a file, and as a variable of its name where that can be one.
 * @param text whether the value is text; a variable cannot hold anything else.
 */
export function secretUseOf(name: string, text: boolean): SecretUse {
  const variable = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !name.startsWith('VGPU_');
  return variable && text ? { name, env: name } : { name };
}
