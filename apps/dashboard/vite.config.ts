import { defineConfig } from 'vite';

export default defineConfig({
  // Where the service has the page.
  base: '/ui/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2023',
    reportCompressedSize: false,
    // There is one script to load later, and nothing to preload with it.
    modulePreload: false,
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:3001', '/execute': 'http://127.0.0.1:3001' } },
});
