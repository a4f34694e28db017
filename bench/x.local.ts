import { benchStart } from './start.ts';
import { benchTeardown } from './teardown.ts';

const o = { quick: true, socketPath: '/run/vgpu-drv/docker.sock', cacheDir: '/var/tmp/vgpu-dev/cache' };
if (process.argv[2] !== 't') console.log(await benchStart(o));
console.log(await benchTeardown(o));
