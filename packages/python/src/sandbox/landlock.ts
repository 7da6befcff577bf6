import { launchCommand } from './launcher.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * For where namespaces are forbidden, as in many containers: the kernel's Landlock keeps a program to its own folder and
 * the interpreter's files, and from signalling others. What it leaves behind is hunted down, not contained.
 */
export const landlockSandbox: Sandbox = {
  kind: 'landlock',
  tier: 2,
  obstacle: () => (process.platform === 'linux' ? undefined : 'it needs Linux'),
  command: ({ python, folder }) => launchCommand(python, 'landlock', { folder }),
};
