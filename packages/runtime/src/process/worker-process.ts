import type { Readable } from 'node:stream';
import { type Clock, createDeferred, type Logger, onAbort, untilAborted } from '@pawl/core';
import {
  acceptWorker,
  type AnswerListener,
  type Connection,
  ConnectionClosedError,
  createConnection,
  type Hello,
  type JsonText,
  type OpenCall,
  stdioTransport,
} from '@pawl/ipc';
import { processCpuMs } from './process-cpu.ts';
import { drainPipes } from './pipe-drain.ts';
import type { ProcessHandle } from './process-handle.ts';
import type { ProcessManager } from './process-manager.ts';
import type { ResolvedWorkerCommand } from './worker-command.ts';
import { type Pong, pingWorker, withdrawRuns, workerStack } from './worker-control.ts';
import { type WorkerEnd, WorkerStartError } from './worker-errors.ts';
import { createWorkerFolder, type WorkerFolder } from './worker-folder.ts';
import { createWorkerOutput, type WorkerOutputOptions } from './worker-output.ts';

export type { OutputStream } from './worker-output.ts';

export interface WorkerProcessOptions extends WorkerOutputOptions {
  readonly id: string;
  readonly manager: ProcessManager;
  readonly resolveCommand: () => Promise<ResolvedWorkerCommand>;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: readonly string[];
  readonly cwd: string | undefined;
  readonly privateFolder: boolean;
  readonly startTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  readonly busyPoll: boolean;
  /** How many runs it executes at once, if it is a worker that queues those beyond. */
  readonly runsAtOnce: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A line on the channel that is no frame. */
  readonly onStrayOutput: (preview: string, sizeBytes: number) => void;
}

/** One worker: a process, the connection to it, and what it prints. Knows nothing of queues or other workers. */
export interface WorkerProcess {
  readonly id: string;
  readonly pid: number | undefined;
  /**
   * Starts the process and shakes hands with it. Call once.
   * @throws WorkerStartError, after the process is gone
   */
  start(signal: AbortSignal): Promise<Hello>;
  /** How it introduced itself, once it has. */
  readonly hello: Hello | undefined;
  /** Sends a `run` request. What it prints before its answer is delivered before the answer if `settleOutput` is called. */
  call(params: JsonText, listener: AnswerListener): OpenCall;
  /** Lets a streaming run send `n` more chunks. */
  grantCredit(call: OpenCall, n: number): void;
  /**
   * Asks a worker with the feature `queue` for runs that it has not begun. Each one given back rejects with a
   * WithdrawnError; the others go on. Resolves when that is decided. Never rejects.
   */
  withdraw(calls: readonly OpenCall[]): Promise<void>;
  /** A sign of life. @throws when the worker is lost, or RequestTimeoutError */
  ping(options: { readonly timeoutMs: number }): Promise<Pong>;
  /**
   * Where the main thread of a Node worker is, while it spins: a stack trace. `undefined` where that can't be told, as
   * of other languages and of code that is blocked outside of JavaScript.
   */
  stack(): Promise<string | undefined>;
  /** CPU time that its process has used, in milliseconds; undefined when that can't be told. */
  cpuMs(): number | undefined;
  /** Resolves when what the worker had printed by now was delivered, an unfinished line included. */
  settleOutput(): Promise<void>;
  /** Asks it to finish and exit, waits `graceMs`, then ends it by force. Resolves when it is gone. */
  stop(graceMs: number, killGraceMs: number): Promise<WorkerEnd>;
  /** Resolves when the process is gone and what it left in its pipes was read, or 250 ms later. */
  readonly ended: Promise<WorkerEnd>;
  /** Its process or its channel has ended, and `ended` will follow: it takes no work any more. */
  readonly isLost: boolean;
  /** Says what the worker is doing, for the report of its end. */
  setPhase(phase: WorkerEnd['phase']): void;
  /** Counts a finished run. */
  countRun(): void;
  readonly runsDone: number;
  ref(): void;
  unref(): void;
}

/** How long a worker may take to exit once its channel is closed. */
const CHANNEL_LOST_GRACE_MS = 1_000;

export function createWorkerProcess(options: WorkerProcessOptions): WorkerProcess {
  const { id, clock, manager } = options;
  const ended = createDeferred<WorkerEnd>();
  const output = createWorkerOutput(options);
  let handle: ProcessHandle | undefined;
  let connection: Connection | undefined;
  let control: Connection | undefined;
  let hello: Hello | undefined;
  let hasRun = false;
  let folder: WorkerFolder | undefined;
  let phase: WorkerEnd['phase'] = 'start';
  let runsDone = 0;
  let lost = false;
  /** Ends a start that nobody waits for any more. */
  const givenUp = new AbortController();
  const createdAt = clock.now();

  const describeEnd = (): WorkerEnd => ({
    workerId: id,
    pid: handle?.pid,
    exitCode: handle?.exit?.exitCode ?? null,
    signal: handle?.exit?.signal ?? null,
    phase,
    stderrTail: output.stderrTail,
    stdoutHead: output.stdoutHead,
    ageMs: clock.now() - (handle?.startedAt ?? createdAt),
    runsDone,
  });

  /** After the exit: reads what is still in the pipes, for a bounded time, then lets them go. */
  async function finish(
    process_: ProcessHandle,
    link: Connection,
    readables: readonly (Readable | null)[],
  ): Promise<void> {
    await process_.exited;
    lost = true;
    await drainPipes(readables, [link.closed], clock);
    const streams = [process_.stdin, process_.channel, process_.control, process_.stdout, ...readables];
    for (const stream of streams) stream?.destroy();
    await link.closed;
    await folder?.remove();
    ended.resolve(describeEnd());
  }

  async function launch(signal: AbortSignal): Promise<Hello> {
    const command = await untilAborted(options.resolveCommand(), signal);
    signal.throwIfAborted();
    if (options.privateFolder) folder = await createWorkerFolder(options.logger);
    const cwd = folder?.path ?? options.cwd;
    const process_ = await manager.spawn({
      command: command.command,
      args: command.args,
      ...(cwd === undefined ? {} : { cwd }),
      env: {
        ...folder?.env,
        ...command.env,
        ...options.env,
        PAWL_CHANNEL: command.channel,
        ...(command.control ? { PAWL_CONTROL: 'fd4' } : {}),
        ...(options.busyPoll ? {} : { PAWL_BUSY_POLL: 'off' }),
        PAWL_WORKER_ID: id,
        PAWL_PARENT_PID: String(process.pid),
      },
      inheritEnv: options.inheritEnv,
      channel: command.channel === 'fd3',
      control: command.control,
      // It sees the end of its input by itself, and may clean up.
      onHostExit: 'keep',
    });
    handle = process_;
    const stopListening = onAbort(signal, () => void process_.terminate({ graceMs: 0 }));
    const usesFd3 = command.channel === 'fd3';
    const { stdin, stdout, stderr } = process_;
    const channel = usesFd3 ? process_.channel : stdout;
    if (stdin === null || channel === null) throw new TypeError('A worker needs a piped stdin and channel.');
    const link = createConnection(
      stdioTransport({
        readable: channel,
        writable: stdin,
        maxMessageBytes: options.maxMessageBytes,
        busyPoll: options.busyPoll,
        clock,
      }),
      { clock, logger: options.logger },
    );
    connection = link;
    if (process_.control !== null) {
      const { control: pair } = process_;
      control = createConnection(stdioTransport({ readable: pair, writable: pair, busyPoll: false, clock }), {
        clock,
        logger: options.logger,
      });
    }
    link.on('protocol:malformed', ({ preview, sizeBytes }) => options.onStrayOutput(preview, sizeBytes));
    if (stderr !== null) output.watch('stderr', stderr);
    if (usesFd3 && stdout !== null) output.watch('stdout', stdout);
    void finish(process_, link, [stderr, usesFd3 ? stdout : null]);
    // A worker closes its channel by exiting; one that lives on without can't be worked with.
    void link.closed.then(() => {
      lost = true;
      const timer = clock.setTimer(CHANNEL_LOST_GRACE_MS, () => void process_.terminate({ graceMs: 0 }));
      void process_.exited.then(() => timer.cancel());
    });
    const accepted = acceptWorker(link, {
      workerId: id,
      heartbeatMs: options.heartbeatMs,
      maxMessageBytes: options.maxMessageBytes,
      runsAtOnce: options.runsAtOnce,
      timeoutMs: options.startTimeoutMs,
      clock,
    });
    hello = await accepted.finally(stopListening);
    if (lost) throw new ConnectionClosedError({ reason: 'ended' });
    return hello;
  }

  function started(): Connection {
    if (connection === undefined) throw new TypeError(`Worker ${id} was not started.`);
    return connection;
  }

  /** Where a side thread answers while a run may keep the main one. Before the first run it may not be there yet. */
  function besideRuns(): Connection {
    const served = hasRun && hello?.features.includes('control') === true;
    return (served ? control : undefined) ?? started();
  }

  return {
    id,
    get pid() {
      return handle?.pid;
    },
    get hello() {
      return hello;
    },
    async start(signal) {
      const stopFollowing = onAbort(signal, (reason) => givenUp.abort(reason));
      try {
        const introduced = await launch(givenUp.signal);
        phase = 'idle';
        return introduced;
      } catch (error) {
        if (handle === undefined) {
          await folder?.remove();
          ended.resolve(describeEnd());
          throw new WorkerStartError(describeEnd(), error);
        }
        // Then it is about to exit by itself, or is killed a second later: its exit code says why.
        const exitsByItself = error instanceof ConnectionClosedError && !givenUp.signal.aborted;
        if (!exitsByItself) await handle.terminate({ graceMs: 0 });
        throw new WorkerStartError(await ended.promise, exitsByItself ? undefined : error);
      } finally {
        stopFollowing();
      }
    },
    call(params, listener) {
      hasRun = true;
      return started().ask('run', params, listener);
    },
    grantCredit(call, n) {
      // A worker that is gone needs none.
      connection?.notify('credit', { id: call.id, n }).catch(() => undefined);
    },
    withdraw: (calls) => withdrawRuns(besideRuns(), started(), calls, options.logger),
    ping: ({ timeoutMs }) => pingWorker(besideRuns(), timeoutMs),
    async stack() {
      const served = hello?.features.includes('control') === true;
      return control === undefined || !served ? undefined : workerStack(control);
    },
    cpuMs: () => (handle === undefined ? undefined : processCpuMs(handle.pid)),
    settleOutput: () => output.settle(),
    async stop(graceMs, killGraceMs) {
      const process_ = handle;
      if (process_ === undefined) givenUp.abort(new Error('The worker is not needed any more.'));
      else if (process_.exit === undefined) {
        // Work under way may finish; a worker without any is also told by the end of its stdin.
        const idle = phase !== 'run';
        if (idle) phase = 'stop';
        connection
          ?.notify('shutdown', { graceMs })
          .then(() => (idle ? process_.stdin?.end() : undefined))
          .catch(() => undefined);
        const timer = clock.setTimer(graceMs, () => void process_.terminate({ graceMs: killGraceMs }));
        await process_.exited;
        timer.cancel();
      }
      return ended.promise;
    },
    ended: ended.promise,
    get isLost() {
      return lost;
    },
    setPhase(to) {
      phase = to;
    },
    countRun() {
      runsDone += 1;
    },
    get runsDone() {
      return runsDone;
    },
    ref: () => handle?.ref(),
    unref: () => handle?.unref(),
  };
}
