// How old a line is when its reader has it: over an event stream of the service, and over the pipe of a child.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('ticking.mjs', import.meta.url));
const LINES = 300;
const EVERY_MS = 10;

const now = () => performance.timeOrigin + performance.now();

/** Milliseconds that each line took to a reader of the child's own pipe. */
export async function overPipe() {
  const child = spawn(process.execPath, [SCRIPT, String(LINES), String(EVERY_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ages = [];
  for await (const line of createInterface({ input: child.stdout })) ages.push(now() - Number(line));
  return ages;
}

/** The same over event streams: a tracked run, and so many readers of its log at once. */
export async function overEventStream(url, readers) {
  const response = await fetch(`${url}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ script: { path: SCRIPT, args: [String(LINES), String(EVERY_MS)] } }),
  });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  const { id } = await response.json();
  const ages = await Promise.all(
    Array.from({ length: readers }, () => readStream(`${url}/v1/runs/${id}/logs/stream`)),
  );
  return ages.flat();
}

async function readStream(url) {
  const { body } = await fetch(url);
  const ages = [];
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const at = now();
    const events = (rest + text).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      if (event.includes('event: complete')) return ages;
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (event.includes('event: entry') && data !== undefined) ages.push(at - Number(JSON.parse(data).text));
    }
  }
  return ages;
}

export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
