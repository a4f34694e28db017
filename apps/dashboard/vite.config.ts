import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { budget } from './build/budget.ts';
import { intoPlace } from './build/into-place.ts';
import { precompress } from './build/precompress.ts';

const staging = `.cache/dist-${process.pid}`;
const server = process.env.VGPU_URL ?? 'http://127.0.0.1:8470';

export default defineConfig({
  plugins: [react(), budget(300_000), precompress(), intoPlace(staging, 'dist')],
  build: {
    outDir: staging,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    // Ours declare things and do nothing at load: what a page does not use (the YAML reader, say) stays out.
    rolldownOptions: { treeshake: { moduleSideEffects: (id) => !/\/packages\/(core|api)\//.test(id) } },
  },
  server: { proxy: { '/v1/stream': { target: server, ws: true }, '/v1': server, '/proxy': server } },
});
