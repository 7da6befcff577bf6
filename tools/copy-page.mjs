// Puts the built dashboard beside the service that serves it, so that the published package has it.
import { cpSync, rmSync } from 'node:fs';

const page = new URL('../apps/dashboard/dist/', import.meta.url);
const target = new URL('../apps/pawl/dist/ui/', import.meta.url);
// Files of an earlier build have other names.
rmSync(target, { recursive: true, force: true });
cpSync(page, target, { recursive: true });
