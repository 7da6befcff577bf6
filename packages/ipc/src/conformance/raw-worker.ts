import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable, Writable } from 'node:stream';
import { createDeferred, sleep, systemClock } from '@pawl/core';
import { Breach } from './breach.ts';
import { Exchange } from './exchange.ts';
import { frame, runParams, welcomeFrame } from './host-frames.ts';
import { type Json, type Line, LineSplitter } from './line.ts';

export type Channel = 'fd3' | 'stdout';

export interface StartOptions {
  readonly command: readonly [string, ...string[]];
  readonly channel: Channel;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How long to wait for a frame, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether PAWL_CHANNEL is left unset; the channel is stdout then. */
  readonly unsetChannel?: boolean;
  /** Whether a shell stands between the kit and the worker, for checks that take the worker's parent away. */
  readonly behindShell?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What an exit "within a second" may take longer, for a busy machine's sake. */
const EXIT_ALLOWANCE_MS = 1_000;
const QUIET_MS = 40;
/** How long the channel is read after an exit, if something else holds it open. */
const DRAIN_MS = 250;
// When the shell is gone, `sleep` still holds the worker's stdin open, but none of its channels.
const SHELL = ['sh', '-c', '(exec 3>&- 4>&-; cat; sleep 30) | "$@"', 'sh'] as const;

/** A worker process of its own group, spoken to in bytes. Nothing here knows the protocol beyond lines and ids. */
export class RawWorker {
  readonly child: ChildProcess;
  readonly exchange: Exchange = new Exchange();
  /** The lines that came over the channel so far. */
  readonly lines: Line[] = [];
  /** Resolves with the error when the command can't be started. */
  readonly failedToStart: Promise<Error>;
  readonly exited: Promise<Exit>;
  readonly channel: Readable;
  readonly timeoutMs: number;
  readonly #input: Writable;
  /** The control channel, which the worker may leave alone. */
  readonly #control: Duplex;
  readonly #channelEnded: Promise<void>;
  readonly #splitter = new LineSplitter();
  readonly #controlSplitter = new LineSplitter();
  readonly #wakers = new Set<() => void>();
  #lastId = 0;
  #hasExited = false;
  #stderr = '';

  constructor(options: StartOptions) {
    const { unsetChannel = false, behindShell = false } = options;
    const onFd3 = options.channel === 'fd3' && !unsetChannel;
    const environment: Record<string, string | undefined> = { ...options.environment };
    if (unsetChannel) delete environment['PAWL_CHANNEL'];
    else environment['PAWL_CHANNEL'] = options.channel;
    environment['PAWL_CONTROL'] = 'fd4';
    const [file, ...args] = behindShell ? [...SHELL, ...options.command] : options.command;
    this.timeoutMs = options.timeoutMs;
    this.child = spawn(file ?? '', args, {
      detached: true,
      env: environment,
      stdio: ['pipe', 'pipe', 'pipe', onFd3 ? 'pipe' : 'ignore', 'pipe'],
    });
    const streams = this.child.stdio as unknown as [Writable, Readable, Readable, Readable | null, Duplex];
    const [input, stdout, stderr, fd3, control] = streams;
    this.#input = input;
    this.#control = control;
    this.channel = fd3 ?? stdout;
    this.failedToStart = new Promise((resolve) => {
      this.child.once('error', resolve);
    });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.#hasExited = true;
        resolve({ code, signal });
        this.#wake();
      });
    });
    const ended = createDeferred();
    this.#channelEnded = ended.promise;
    // Of streams whose process is gone, only the end matters.
    for (const stream of streams) stream?.on('error', () => undefined);
    this.channel.once('close', () => {
      ended.resolve();
      this.#wake();
    });
    this.channel.on('data', (chunk: Buffer) => this.#take(chunk, this.#splitter));
    control.on('data', (chunk: Buffer) => this.#take(chunk, this.#controlSplitter));
    if (onFd3) stdout.resume();
    stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('latin1')).slice(-16_384);
      this.exchange.record('stderr', chunk);
      this.#wake();
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What came behind the last newline. */
  get unfinishedLine(): Buffer {
    return this.#splitter.rest;
  }

  write(bytes: string | Uint8Array): void {
    const buffer = Buffer.from(bytes);
    this.exchange.record('host', buffer);
    this.#input.write(buffer);
  }

  /** Writes each piece by itself, and gives the worker the time to read it by itself. */
  async writePieces(pieces: Iterable<Uint8Array>, gapMs: number): Promise<void> {
    for (const piece of pieces) {
      this.write(piece);
      await sleep(systemClock, gapMs);
    }
  }

  /** As the end of the host does it: all that it writes to ends. */
  closeInput(): void {
    this.#input.end();
    this.#control.end();
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  notify(method: string, params?: Json): void {
    this.write(frame({ method, params }));
  }

  request(method: string, params?: unknown, id: number = this.nextId()): number {
    this.write(frame({ id, method, params }));
    return id;
  }

  /** The same on the control channel. Its answer is among the other lines. */
  requestControl(method: string, params?: unknown, id: number = this.nextId()): number {
    const bytes = Buffer.from(frame({ id, method, params }));
    this.exchange.record('host', bytes);
    this.#control.write(bytes);
    return id;
  }

  run(task: string, input: unknown, more: Json = {}): number {
    return this.request('run', runParams(task, input, more));
  }

  /** The first line, from `start` on, that `matches`. @throws Breach */
  async line(what: string, matches: (line: Line) => boolean, start = 0): Promise<Line> {
    let from = start;
    const find = (): Line | undefined => {
      const found = this.lines.slice(from).find(matches);
      from = this.lines.length;
      return found;
    };
    const found = await this.#until(find, this.timeoutMs);
    if (found !== undefined) return found;
    throw new Breach(
      this.#hasExited
        ? `The process ended before ${what} came.`
        : `There was no ${what} within ${this.timeoutMs} ms.`,
    );
  }

  /** The lines so far that answer a request. */
  answers(id: number): readonly Line[] {
    return this.lines.filter((line) => isAnswer(line, id));
  }

  /** The notifications so far about a request. */
  about(id: number): readonly Line[] {
    return this.lines.filter(({ message }) => {
      const params = message?.['params'];
      return (
        typeof message?.['method'] === 'string' &&
        typeof params === 'object' &&
        params !== null &&
        'id' in params &&
        params.id === id
      );
    });
  }

  /** The first answer to a request. @throws Breach */
  async answer(id: number, what = `answer to request ${id}`): Promise<Line & { readonly message: Json }> {
    const line = await this.line(what, (each) => isAnswer(each, id));
    return { ...line, message: line.message ?? {} };
  }

  /** Waits until the worker has nothing more to say: it has answered a ping, and a moment of silence has passed. */
  async settle(): Promise<void> {
    await this.answer(this.request('ping'));
    await sleep(systemClock, QUIET_MS);
  }

  /** How the process ended, if it did within `withinMs` and an allowance for a busy machine. */
  async exit(withinMs: number): Promise<Exit | undefined> {
    const done = await this.#until(() => (this.#hasExited ? true : undefined), withinMs + EXIT_ALLOWANCE_MS);
    if (done === undefined) return undefined;
    // What it wrote last may still be in the pipe.
    await this.channelEnds(DRAIN_MS);
    return this.exited;
  }

  /** Waits for the `hello`. @throws Breach */
  async hello(): Promise<Json> {
    const { message } = await this.line('`hello`', (line) => line.message?.['method'] === 'hello');
    const params = message?.['params'];
    return typeof params === 'object' && params !== null ? (params as Json) : {};
  }

  /** Waits for `hello` and answers it. @throws Breach */
  async welcome(): Promise<void> {
    await this.hello();
    this.write(welcomeFrame());
    // So that what comes next is read by itself: one rule is about what follows at once, the others are not.
    await sleep(systemClock, QUIET_MS);
  }

  /** Whether everyone who can write to the channel is gone, or goes `withinMs`. */
  async channelEnds(withinMs: number): Promise<boolean> {
    const late = new AbortController();
    const timer = sleep(systemClock, withinMs, { signal: late.signal }).then(
      () => false,
      () => false,
    );
    const ended = await Promise.race([this.#channelEnded.then(() => true), timer]);
    late.abort();
    return ended;
  }

  /** Whether `holds` became true within `withinMs`. It is looked at whenever something came. */
  async becomes(holds: () => boolean, withinMs: number): Promise<boolean> {
    return (await this.#until(() => (holds() ? true : undefined), withinMs)) ?? false;
  }

  /** Ends the process and all it started, and waits for that. */
  async kill(): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The whole group has ended already.
    }
    await this.exited;
    for (const stream of this.child.stdio) stream?.destroy();
  }

  #take(chunk: Buffer, splitter: LineSplitter): void {
    this.exchange.record('worker', chunk);
    // Counted over both channels.
    for (const line of splitter.push(chunk)) this.lines.push({ ...line, index: this.lines.length });
    this.#wake();
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
  }

  /** What `find` gives, as soon as it gives something. An exit is waited for until the channel is empty. */
  #until<T>(find: () => T | undefined, withinMs: number): Promise<T | undefined> {
    return new Promise((resolve) => {
      const settle = (value: T | undefined): void => {
        timer.cancel();
        this.#wakers.delete(look);
        resolve(value);
      };
      const look = (): void => {
        const found = find();
        if (found !== undefined) settle(found);
        else if (this.#hasExited && this.channel.destroyed) settle(undefined);
      };
      const timer = systemClock.setTimer(withinMs, () => settle(find()));
      this.#wakers.add(look);
      look();
    });
  }
}

function isAnswer({ message }: Line, id: number): boolean {
  return message?.['id'] === id && message['method'] === undefined;
}
