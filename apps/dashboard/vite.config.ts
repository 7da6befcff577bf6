import { defineConfig } from 'vite';

export default defineConfig({
  // Where the service has the page.
  base: '/ui/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2023',
    reportCompressedSize: false,
    // Browsers that know this target preload by themselves.
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:3001', '/execute': 'http://127.0.0.1:3001' } },
});
