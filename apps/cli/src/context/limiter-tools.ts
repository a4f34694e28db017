import { isNativeBuilt } from '@vgpu/devices';
import { canInstall, installStep, type SetupStep, which } from '@vgpu/drivers';
import { hasAccelerator } from '../doctor/accelerator-checks.ts';

/** What it takes to build the limiter where there is an accelerator to share; nothing where it is built or can be. */
export function limiterToolSteps(): SetupStep[] {
  if (isNativeBuilt() || !hasAccelerator() || !canInstall()) return [];
  if (which('gcc') && which('make')) return [];
  return [
    installStep('install a compiler, with which vgpu builds the limiter that accelerators are shared by', [
      'gcc',
      'make',
      'libc6-dev',
    ]),
  ];
}
