import { launchCommand } from './launcher.ts';
import type { Sandbox } from './sandbox.ts';

/** Limits alone, for programs one trusts as one's own: they reach all that this service reaches. */
export const noSandbox: Sandbox = {
  kind: 'none',
  tier: 0,
  obstacle: () => undefined,
  command: ({ python, folder }) => launchCommand(python, 'none', { folder }),
};
