// What a check has in its hands.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotOffered } from './peers/offer.mjs';

/** How long an answer may take before it counts as none, unless a check says otherwise. */
const PATIENCE_MS = 6_000;

/** What a check saw and a good pool does not show. */
export class Observed extends Error {}

export function createTools(peer, kind, folder) {
  const path = (name) => join(folder, name);

  const scratch = {
    folder,
    exists: (name) => existsSync(path(name)),
    /** The lines that tasks wrote to a file. */
    lines: (name) =>
      existsSync(path(name)) ? readFileSync(path(name), 'utf8').split('\n').slice(0, -1) : [],
    text: (name) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : ''),
    write: (name, text = '') => writeFileSync(path(name), text),
    append: (name, text) => appendFileSync(path(name), text),
    remove: (name) => rmSync(path(name), { force: true }),
    /** Lets go of the tasks that hold by this name. */
    release: (name) => writeFileSync(path(`${name}.open`), ''),
    /** Waits until a task that holds by this name, or another that says so, runs. */
    started: (name, times = 1) =>
      until(() => scratch.lines(`${name}.started`).length >= times, `no task \`${name}\` was started`),
  };

  /** Opens the pool of this column. What it has no words for is not offered. */
  async function open(wanted) {
    const pool = await peer.open(wanted, kind);
    return new Proxy(pool, {
      get(target, name) {
        // What awaiting or printing it asks for.
        if (name === 'then' || name === 'toJSON' || typeof name === 'symbol') return undefined;
        if (target[name] === undefined) throw new NotOffered(`no \`${name}\``);
        return (...call) => {
          const answer = target[name](...call);
          // A check looks at some of its promises later.
          answer?.then?.(
            () => {},
            () => {},
          );
          return answer;
        };
      },
    });
  }

  return {
    peer,
    kind,
    scratch,
    open,
    sleep,
    until,
    settled,
    fulfils,
    rejects,
    ensure,
    usable,
    allTextOf,
    inOneLine,
  };
}

function ensure(condition, otherwise) {
  if (!condition) throw new Observed(otherwise);
}

async function until(condition, otherwise, patienceMs = PATIENCE_MS) {
  const end = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Observed(`${otherwise} within ${patienceMs / 1_000} s`);
    await sleep(10);
  }
}

/** How a promise ended: `fulfilled` with its value, `rejected` with its error, or still `pending`. */
async function settled(promise, patienceMs = PATIENCE_MS) {
  const patience = new AbortController();
  try {
    return await Promise.race([
      Promise.resolve(promise).then(
        (value) => ({ state: 'fulfilled', value }),
        (error) => ({ state: 'rejected', error }),
      ),
      sleep(patienceMs, { state: 'pending' }, { signal: patience.signal }).catch(() => undefined),
    ]);
  } finally {
    patience.abort();
  }
}

async function fulfils(promise, what = 'the run', patienceMs = PATIENCE_MS) {
  const { state, value, error } = await settled(promise, patienceMs);
  ensure(state !== 'pending', `${what} did not settle within ${patienceMs / 1_000} s`);
  if (error instanceof NotOffered) throw error;
  ensure(state === 'fulfilled', `${what} rejected: ${inOneLine(error)}`);
  return value;
}

async function rejects(promise, what = 'the run', patienceMs = PATIENCE_MS) {
  const { state, value, error } = await settled(promise, patienceMs);
  ensure(state !== 'pending', `${what} did not settle within ${patienceMs / 1_000} s`);
  ensure(state === 'rejected', `${what} gave ${inOneLine(value)} instead of an error`);
  if (error instanceof NotOffered) throw error;
  return error;
}

/** Whether a pool still does its work. */
async function usable(pool) {
  ensure(
    (await fulfils(pool.run('echo', 'still there'), 'the next run')) === 'still there',
    'a wrong result',
  );
}

function inOneLine(value) {
  let text;
  try {
    text =
      value instanceof Error ? `${value.name}: ${value.message}` : (JSON.stringify(value) ?? String(value));
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.replaceAll(/\s+/g, ' ').slice(0, 160);
}

/** All that an error says: its name, message, stack and fields, and those of its causes. */
function allTextOf(error, depth = 0) {
  if (typeof error !== 'object' || error === null || depth > 4) return String(error);
  const own = Object.getOwnPropertyNames(error).map((name) => {
    const value = error[name];
    return `${name}: ${typeof value === 'object' ? allTextOf(value, depth + 1) : String(value)}`;
  });
  return [error.name, error.message, ...own].join('\n');
}
