import { systemClock } from '@pawl/core';

/** How long the main thread may take to come to a place where it can be looked at, in milliseconds. */
const PAUSE_TIMEOUT_MS = 500;
const MAX_FRAMES = 50;
/** Frames from here on are of this package, and say nothing of the task. */
const OWN_FILES = new URL('../../dist/', import.meta.url).href;

interface PausedEvent {
  readonly params: {
    readonly callFrames: readonly {
      readonly functionName: string;
      readonly location: {
        readonly scriptId: string;
        readonly lineNumber: number;
        readonly columnNumber?: number;
      };
    }[];
  };
}

interface ScriptEvent {
  readonly params: { readonly scriptId: string; readonly url: string };
}

/**
 * Where the main thread is: its stack, one frame a line, as in an error's. It is paused for a moment, also when it
 * spins. `null` when it does not run JavaScript: it waits for events, or is inside of native code.
 */
export async function mainThreadStack(): Promise<string | null> {
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connectToMainThread();
  const urls = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ params }: ScriptEvent) => urls.set(params.scriptId, params.url));
  try {
    return await new Promise((resolve) => {
      const timer = systemClock.setTimer(PAUSE_TIMEOUT_MS, () => resolve(null));
      session.once('Debugger.paused', (event: PausedEvent) => {
        timer.cancel();
        resolve(stackText(event, urls));
      });
      session.post('Debugger.enable');
      session.post('Debugger.pause');
    });
  } finally {
    // Also lets a main thread go on that is paused, and takes back a pause that has not come.
    session.disconnect();
  }
}

function stackText({ params }: PausedEvent, urls: ReadonlyMap<string, string>): string {
  const lines: string[] = [];
  for (const { functionName, location } of params.callFrames.slice(0, MAX_FRAMES)) {
    const { scriptId, lineNumber, columnNumber = 0 } = location;
    const url = urls.get(scriptId) ?? 'unknown';
    if (url.startsWith(OWN_FILES)) break;
    const where = `${url}:${lineNumber + 1}:${columnNumber + 1}`;
    lines.push(functionName === '' ? `    at ${where}` : `    at ${functionName} (${where})`);
  }
  return lines.join('\n');
}
