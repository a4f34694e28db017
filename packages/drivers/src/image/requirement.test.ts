import { expect, test } from 'vitest';
import { canonicalName, neededBy } from './requirement.ts';

test('names are normalised as PyPI does', () => {
  expect(canonicalName('Scikit_Learn>=1.2; extra == "x"')).toBe('scikit-learn');
  expect(canonicalName('ruamel.yaml[jinja2]==1')).toBe('ruamel-yaml');
});

test('requirements for other systems, Pythons and extras are left out', () => {
  const requirements = [
    'numpy>=1.22',
    'pytest; extra == "test"',
    'tzdata; sys_platform == "win32" or sys_platform == "emscripten"',
    'colorama; platform_system == "Windows"',
    'exceptiongroup; python_version < "3.11"',
    'typing-extensions>=4; python_version >= "3.9" and sys_platform == "linux"',
  ];
  expect(neededBy(requirements, '3.13')).toEqual(['numpy', 'typing-extensions']);
  expect(neededBy(requirements, '3.10')).toEqual(['numpy', 'exceptiongroup', 'typing-extensions']);
});
