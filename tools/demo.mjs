// `npm run demo`: builds what changed, then runs examples/demo.mjs.
import { build } from './build.mjs';

build();
await import('../examples/demo.mjs');
