import { VgpuClient } from '@vgpu/api';

/** The one client of the page: same origin, signed in by the session's cookie. */
export const client = new VgpuClient({ url: '' });
