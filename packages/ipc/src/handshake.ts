import { constants } from 'node:buffer';
import { checkDurationMs, type Clock, hasCode, PawlError, systemClock } from '@pawl/core';
import type { Connection } from './connection.ts';
import { ConnectionClosedError } from './ipc-errors.ts';

/** An inclusive range of protocol versions. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** The versions of the worker protocol this package speaks. */
export const PROTOCOL: VersionRange = Object.freeze({ min: 1, max: 1 });

export type WorkerFeature =
  | 'cancel'
  | 'progress'
  | 'stream'
  | 'log'
  | 'validate'
  | 'concurrent'
  | 'queue'
  | 'control';

/** How a worker introduces itself: its first frame. */
export interface Hello {
  readonly protocol: VersionRange;
  /** Names the worker program or SDK. */
  readonly name: string;
  readonly language: string;
  /** Version of the worker program or SDK. */
  readonly version: string;
  readonly pid: number;
  /** The tasks it can run. */
  readonly tasks: readonly string[];
  readonly features: readonly WorkerFeature[];
}

/** What the host answers when it takes the worker. */
export interface Welcome {
  /** The chosen version. */
  readonly protocol: number;
  readonly workerId: string;
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  /** How many runs a worker with the feature `queue` executes at once; those beyond wait in it, in order. */
  readonly runsAtOnce: number;
}

/** What the host answers when it does not. */
interface Refusal {
  readonly reason: string;
  readonly supported: VersionRange;
}

/** Host and worker have no protocol version in common. */
export class ProtocolVersionError extends PawlError {
  declare readonly code: 'PROTOCOL_VERSION';
  readonly ours: VersionRange;
  readonly theirs: VersionRange;

  /** @param reason what the far side says of it */
  constructor(ours: VersionRange, theirs: VersionRange, reason?: string) {
    const said = reason === undefined ? '' : ` It says: ${reason}`;
    super(
      `No common protocol version: this side speaks ${show(ours)}, the far side ${show(theirs)}.${said}`,
      {
        code: 'PROTOCOL_VERSION',
      },
    );
    this.ours = ours;
    this.theirs = theirs;
  }
}

/** The far side did not do its part of the handshake: said nothing in time, or nothing usable. */
export class HandshakeError extends PawlError {
  declare readonly code: 'HANDSHAKE_FAILED';

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { ...options, code: 'HANDSHAKE_FAILED' });
  }
}

/** The highest version both sides speak, or undefined. */
export function negotiateVersion(ours: VersionRange, theirs: VersionRange): number | undefined {
  const highest = Math.min(ours.max, theirs.max);
  return highest >= Math.max(ours.min, theirs.min) ? highest : undefined;
}

export interface AcceptWorkerOptions {
  readonly workerId: string;
  readonly heartbeatMs: number;
  /** Longest frame either way, in bytes. The worker is told, and keeps to it. */
  readonly maxMessageBytes: number;
  /** How many runs a worker with the feature `queue` is to execute at once. @default 1 */
  readonly runsAtOnce?: number;
  /** How long to wait for `hello`, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
  /** @default PROTOCOL */
  readonly protocol?: VersionRange;
  /** @default systemClock */
  readonly clock?: Clock;
}

/**
 * The host's part: waits for `hello`, then sends `welcome`, or `refuse` and closes the connection. Call it in the same turn as
 * `createConnection`, so that no frame can come before.
 * @throws ProtocolVersionError naming both ranges, HandshakeError, ConnectionClosedError
 */
export async function acceptWorker(connection: Connection, options: AcceptWorkerOptions): Promise<Hello> {
  const { workerId, heartbeatMs, maxMessageBytes, runsAtOnce = 1, protocol = PROTOCOL } = options;
  const { params } = await firstNotification(connection, ['hello'], options);
  try {
    const hello = checkHello(params);
    const version = negotiateVersion(protocol, hello.protocol);
    if (version === undefined) throw new ProtocolVersionError(protocol, hello.protocol);
    const welcome: Welcome = { protocol: version, workerId, heartbeatMs, maxMessageBytes, runsAtOnce };
    await connection.notify('welcome', welcome);
    return hello;
  } catch (error) {
    if (hasCode(error, 'PROTOCOL_VERSION', 'HANDSHAKE_FAILED')) {
      // Not awaited: a worker that reads nothing must not delay its refusal.
      const refusal: Refusal = { reason: error.message, supported: protocol };
      connection.notify('refuse', refusal).catch(() => undefined);
      void connection.close();
    }
    throw error;
  }
}

export interface IntroduceOptions {
  /** How long to wait for the host's answer, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/**
 * The worker's part: sends `hello` and waits to be welcomed. From then on the connection takes and sends frames up to
 * the length that the host names.
 * @throws ProtocolVersionError when refused for its versions, HandshakeError, ConnectionClosedError
 */
export async function introduce(
  connection: Connection,
  hello: Hello,
  options: IntroduceOptions = {},
): Promise<Welcome> {
  const answer = firstNotification(connection, ['welcome', 'refuse'], options);
  // What keeps it from going out also ends the connection, which `answer` tells.
  connection.notify('hello', hello).catch(() => undefined);
  const { method, params } = await answer;
  if (method === 'refuse') throw refusalError(hello.protocol, asObject(params));
  const { protocol, workerId, heartbeatMs, maxMessageBytes, runsAtOnce } = asObject(params);
  if (typeof protocol !== 'number' || typeof workerId !== 'string') {
    throw new HandshakeError('The host sent a `welcome` without a `protocol` number and a `workerId`.');
  }
  if (negotiateVersion(hello.protocol, { min: protocol, max: protocol }) === undefined) {
    throw new ProtocolVersionError(hello.protocol, { min: protocol, max: protocol });
  }
  const limitBytes =
    typeof maxMessageBytes === 'number' && maxMessageBytes >= 1
      ? Math.min(Math.floor(maxMessageBytes), constants.MAX_STRING_LENGTH)
      : undefined;
  if (limitBytes !== undefined) connection.limitMessages(limitBytes);
  return {
    protocol,
    workerId,
    heartbeatMs: typeof heartbeatMs === 'number' ? heartbeatMs : Infinity,
    maxMessageBytes: limitBytes ?? Infinity,
    runsAtOnce: typeof runsAtOnce === 'number' && runsAtOnce >= 1 ? Math.floor(runsAtOnce) : 1,
  };
}

function refusalError(ours: VersionRange, { reason, supported }: Readonly<Record<string, unknown>>): Error {
  const theirs = rangeOf(supported);
  if (theirs !== undefined && negotiateVersion(ours, theirs) === undefined) {
    return new ProtocolVersionError(ours, theirs, typeof reason === 'string' ? reason : undefined);
  }
  return new HandshakeError(
    `The host refused this worker: ${typeof reason === 'string' ? reason : 'it gave no reason.'}`,
  );
}

/** The first of these notifications to arrive. */
function firstNotification(
  connection: Connection,
  methods: readonly string[],
  options: IntroduceOptions,
): Promise<{ readonly method: string; readonly params: unknown }> {
  const { clock = systemClock } = options;
  const timeoutMs = checkDurationMs('timeoutMs', options.timeoutMs ?? 10_000, { infinite: true });
  const names = methods.map((method) => `\`${method}\``).join(' or ');
  return new Promise((resolve, reject) => {
    const release = (): void => {
      timer.cancel();
      for (const stop of stops) stop();
    };
    const timer = clock.setTimer(timeoutMs, () => {
      release();
      reject(new HandshakeError(`No ${names} within ${timeoutMs} ms.`));
    });
    const stops = methods.map((method) =>
      connection.onNotification(method, (params) => {
        release();
        resolve({ method, params });
      }),
    );
    void connection.closed.then((info) => {
      release();
      reject(new ConnectionClosedError(info));
    });
  });
}

function checkHello(params: unknown): Hello {
  const hello = asObject(params);
  const { name, language, version, pid, tasks, features = [] } = hello;
  const protocol = rangeOf(hello['protocol']);
  if (protocol === undefined) throw helloFault('protocol', '`{min, max}`, both integers');
  if (typeof pid !== 'number') throw helloFault('pid', 'a number');
  if (!isStrings(tasks)) throw helloFault('tasks', 'an array of strings');
  if (!isStrings(features)) throw helloFault('features', 'an array of strings');
  return {
    protocol,
    name: typeof name === 'string' ? name : 'unknown',
    language: typeof language === 'string' ? language : 'unknown',
    version: typeof version === 'string' ? version : 'unknown',
    pid,
    tasks,
    features: features as readonly WorkerFeature[],
  };
}

function helloFault(field: string, rule: string): HandshakeError {
  return new HandshakeError(`The worker's \`hello\` needs \`${field}\` to be ${rule}.`);
}

function rangeOf(value: unknown): VersionRange | undefined {
  const { min, max } = asObject(value);
  return Number.isSafeInteger(min) && Number.isSafeInteger(max)
    ? { min: min as number, max: max as number }
    : undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function show({ min, max }: VersionRange): string {
  return min === max ? `version ${min}` : `versions ${min} to ${max}`;
}
