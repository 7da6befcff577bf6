// `npm start`: builds what changed, then serves in this same process, so that Ctrl-C reaches the service itself.
import { build } from './build.mjs';

build();
process.argv.splice(2, 0, 'serve');
await import('../apps/pawl/bin/pawl.js');
