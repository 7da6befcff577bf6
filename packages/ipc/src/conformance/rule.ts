import { isDeepStrictEqual } from 'node:util';
import { Breach } from './breach.ts';
import { escapeBytes } from './exchange.ts';
import { isObject, type Json, type Line } from './line.ts';
import type { RawWorker } from './raw-worker.ts';

/** A rule of docs/protocol.md and how to see from outside whether a worker keeps it. */
export interface Rule {
  /** Stable: scripts name it in `--only`. */
  readonly id: string;
  /** The heading in docs/protocol.md it stands under. */
  readonly section: string;
  readonly says: string;
  /** A `should` that is not kept is a warning. @default 'must' */
  readonly level?: 'must' | 'should';
  /** The well-known tasks it asks for. A worker without them is not offered the rule. */
  readonly tasks?: readonly string[];
  /** The features it asks for. */
  readonly features?: readonly string[];
  /** Whether it asks for a worker that reads while a task runs: one with `cancel` or `concurrent`. */
  readonly whileBusy?: boolean;
  /**
   * What the check gets: a worker that other checks use too, a `welcomed` one of its own, or one of its own that nobody
   * has spoken to. @default 'shared'
   */
  readonly worker?:
    | 'shared'
    | 'welcomed'
    | 'silent'
    | 'silent without PAWL_CHANNEL'
    | 'silent behind a shell';
  /** @throws Breach when the rule is broken, NotOffered when that can't be seen with this worker. */
  check(worker: RawWorker): Promise<void>;
}

export function rulesOf(section: string, rules: readonly Omit<Rule, 'section'>[]): readonly Rule[] {
  return rules.map((rule) => ({ ...rule, section }));
}

/** @throws Breach unless `holds` */
export function expect(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Breach(message);
}

/** @returns the `error` of an answer @throws Breach unless it is one with this code */
export function expectError(line: Line, ...codes: readonly number[]): Json {
  const error = line.message?.['error'];
  expect(
    isObject(error) && codes.includes(error['code'] as number),
    `Expected an error with code ${codes.join(' or ')}, got ${show(line)}.`,
  );
  return error;
}

/** @returns the `result` of an answer @throws Breach unless it has one */
export function expectResult(line: Line): unknown {
  expect(
    line.message !== undefined && Object.hasOwn(line.message, 'result'),
    `Expected a result, got ${show(line)}.`,
  );
  return line.message['result'];
}

/** @throws Breach unless the answer is this very result */
export function expectResultOf(line: Line, value: unknown): void {
  expect(
    isDeepStrictEqual(expectResult(line), value),
    `Expected the result ${escapeBytes(Buffer.from(JSON.stringify(value))).slice(0, 200)}, got ${show(line)}.`,
  );
}

/** @throws Breach unless the worker still answers */
export async function expectUsable(worker: RawWorker): Promise<void> {
  expectResult(await worker.answer(worker.request('ping'), 'answer to a `ping` behind it'));
}

export function show({ bytes }: Line): string {
  return bytes.length > 300 ? `${escapeBytes(bytes.subarray(0, 300))}…` : escapeBytes(bytes);
}
