import { Console } from 'node:console';
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { createDeferred, type Deferred } from '@pawl/core';
import type { ExitInfo } from '@pawl/runtime';
import { hostEnvironment } from './host-environment.ts';
import { startProcess } from './module-process.ts';
import type { ModulePlan, StartedModule } from './started-module.ts';

// A module that runs in this process needs its `process` for itself: one has it at a time.
let turn: Promise<unknown> = Promise.resolve();
let runs = 0;

/**
 * Runs a JavaScript module in this process, for tests: breakpoints, coverage and mocks reach it. It has ended when its
 * top level has, awaits included, or when it calls `process.exit`; nothing can interrupt it. Other modules run as a
 * process.
 */
export async function startLocal(plan: ModulePlan): Promise<StartedModule> {
  if (!plan.command.isNode) return startProcess(plan);
  const before = turn;
  const restored = createDeferred();
  turn = restored.promise;
  await before;
  const exited = createDeferred<ExitInfo>();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  void runHere(plan, { stdout, stderr, exited, restored });
  return {
    pid: process.pid,
    stdout,
    stderr,
    endsItsOutput: true,
    exited: exited.promise,
    released: restored.promise,
    async terminate() {
      exited.resolve({ exitCode: null, signal: 'SIGTERM' });
    },
  };
}

interface LocalRun {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly exited: Deferred<ExitInfo>;
  /** Resolved once this process has its globals back. */
  readonly restored: Deferred<void>;
}

async function runHere({ command, args, cwd, env }: ModulePlan, run: LocalRun): Promise<void> {
  const { stdout, stderr, exited } = run;
  const restore = takeProcess([command.command, command.scriptPath, ...args], env, run);
  void exited.promise.then(() => {
    restore();
    run.restored.resolve();
    stdout.end();
    stderr.end();
  });
  try {
    if (cwd !== undefined) process.chdir(cwd);
    const url = pathToFileURL(command.scriptPath);
    // Every run is a first one: neither of the two loaders may remember the module.
    delete createRequire(url).cache[command.scriptPath];
    runs += 1;
    url.searchParams.set('pawl-run', String(runs));
    await import(url.href);
    exited.resolve({ exitCode: Number(process.exitCode ?? 0), signal: null });
  } catch (error) {
    if (!(error instanceof ModuleExit)) {
      stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    }
    exited.resolve({ exitCode: 1, signal: null });
  }
}

/** Unwinds the module that called `process.exit`. */
class ModuleExit extends Error {}

/** Gives the module this process's globals. @returns a function that gives them back */
function takeProcess(argv: string[], env: Readonly<Record<string, string>>, run: LocalRun): () => void {
  const { stdout, stderr, exited } = run;
  // What is restricted elsewhere is the point here.
  const host = process;
  const cwd = host.cwd();
  const hostEnv = hostEnvironment();
  const saved = { argv: host.argv, exitCode: host.exitCode, env: { ...hostEnv } };
  // Put back as they were, not called.
  // oxlint-disable-next-line typescript/unbound-method
  const methods = { exit: host.exit, stdout: host.stdout.write, stderr: host.stderr.write };
  const savedConsole = globalThis.console;
  host.argv = argv;
  host.exitCode = undefined;
  host.exit = (code): never => {
    exited.resolve({ exitCode: Number(code ?? host.exitCode ?? 0), signal: null });
    throw new ModuleExit();
  };
  host.stdout.write = stdout.write.bind(stdout) as typeof host.stdout.write;
  host.stderr.write = stderr.write.bind(stderr) as typeof host.stderr.write;
  globalThis.console = new Console({ stdout, stderr });
  Object.assign(hostEnv, env);
  return () => {
    host.argv = saved.argv;
    host.exit = methods.exit;
    host.exitCode = saved.exitCode;
    host.stdout.write = methods.stdout;
    host.stderr.write = methods.stderr;
    globalThis.console = savedConsole;
    for (const name of Object.keys(hostEnv)) if (!(name in saved.env)) delete hostEnv[name];
    Object.assign(hostEnv, saved.env);
    if (host.cwd() !== cwd) host.chdir(cwd);
  };
}
