// The tasks of the checks, the same for every pool. Each gets its input and what the pool has for tasks, as far as it has
// it: `progress`, `emit`, `onAbort`, `attempt`, `trace`. They tell what they do by files in the scratch folder of the check.
const { spawn } = require('node:child_process');
const { appendFileSync, existsSync, readdirSync, writeFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { isMainThread, threadId } = require('node:worker_threads');
const { makeValue } = require('./values.cjs');

const scratch = process.env.YARDSTICK_SCRATCH;
const path = (name) => `${scratch}/${name}`;
const note = (name, text = '') => appendFileSync(path(name), `${text}\n`);
const forever = () => new Promise(() => setInterval(() => {}, 1_000));
const kept = [];

exports.echo = (input) => input;
exports.addLater = async ({ a, b }) => {
  await sleep(5);
  return a + b;
};
exports.nothing = () => undefined;
exports.large = ({ size }) => 'x'.repeat(size);
exports.sizeOf = (input) => input.byteLength;
exports.where = () => `${process.pid}/${threadId}`;
exports.wait = async ({ ms }) => {
  await sleep(ms);
  return `${process.pid}/${threadId}`;
};
exports.mark = ({ name, value }) => {
  note(name, value);
  return value;
};
exports.environment = ({ name }) => process.env[name] ?? null;
exports.folder = () => process.cwd();
exports.nodeArguments = () => process.execArgv;
exports.workerNumber = (_input, context) => context.workerNumber ?? null;
exports.attempt = (_input, context) => context.attempt ?? null;
exports.trace = (_input, context) => context.trace ?? null;

/** Runs until the check opens it. */
exports.hold = async ({ name }) => {
  note(`${name}.started`, `${process.pid}/${threadId}`);
  while (!existsSync(path(`${name}.open`))) await sleep(5);
  return `${process.pid}/${threadId}`;
};
/** Runs until as many run at once. */
exports.meet = async ({ name, value, count }) => {
  writeFileSync(path(`${name}-${value}`), '');
  const until = Date.now() + 6_000;
  while (Date.now() < until) {
    if (readdirSync(scratch).filter((each) => each.startsWith(`${name}-`)).length >= count) return true;
    await sleep(5);
  }
  return false;
};
/** Never ends and never lets go of its thread. The file `beat` tells that it is there. */
exports.spin = function spinInTheTask() {
  note('spin.started');
  for (;;) {
    writeFileSync(path('beat'), `${Date.now()}`);
    const until = Date.now() + 5;
    while (Date.now() < until);
  }
};
exports.ignoreTerminate = () => {
  if (isMainThread) process.on('SIGTERM', () => {});
  return exports.spin();
};
exports.cleanOnTerminate = () => {
  process.on('SIGTERM', () => {
    setTimeout(() => {
      note('cleaned');
      process.exit();
    }, 200);
  });
  note('waits.started');
  return forever();
};
exports.cooperate = (_input, context) =>
  new Promise((resolve) => {
    context.onAbort((reason) => {
      note('reason', reason instanceof Error ? reason.message : String(reason));
      resolve('stopped');
    });
    note('waits.started');
  });
exports.cleanForever = (_input, context) => {
  context.onAbort(forever);
  note('waits.started');
  return forever();
};
exports.startDescendant = ({ ends }) => {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  note('descendant', `${child.pid}`);
  if (ends === 'exit') process.exit(3);
  if (ends === 'return') return child.pid;
  return forever();
};

exports.exit = ({ code }) => {
  note('executions');
  process.exit(code);
};
exports.signal = ({ name }) => {
  note('executions');
  process.kill(process.pid, name);
  return forever();
};
exports.throwLater = () => {
  setImmediate(() => {
    throw new Error('thrown beside the task');
  });
  return forever();
};
exports.rejectLater = () => {
  void Promise.reject(new Error('rejected beside the task'));
  return forever();
};
exports.overflow = function overflow() {
  return 1 + overflow();
};
exports.fillHeap = () => {
  for (;;) kept.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
};
exports.throwAfter = () => {
  setTimeout(() => {
    throw new Error('thrown after the result');
  }, 50);
  return 'result';
};
exports.exitAfter = ({ size }) => {
  setImmediate(() => process.exit());
  return 'x'.repeat(size);
};
exports.maybeExit = ({ dies }) => {
  if (dies) process.exit(9);
  return 'lived';
};
exports.complainAndExit = ({ text, times = 1 }) => {
  const { writeSync } = require('node:fs');
  const bytes = Buffer.from(text.repeat(times));
  for (let from = 0; from < bytes.length;) {
    try {
      from += writeSync(2, bytes, from);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
  process.exit(3);
};
exports.allocate = ({ megabytes }) => {
  // Numbers with a fraction lie in the heap, eight bytes each.
  for (let i = 0; i < megabytes; i += 1) kept.push(Array.from({ length: 131_072 }, () => i + 0.5));
  return `${process.pid}/${threadId}`;
};

class TaskError extends Error {
  name = 'TaskError';
}
exports.throwRich = function throwInTheTask() {
  const error = new TaskError('disk 7 is full', { cause: new TypeError('the inner reason') });
  throw Object.assign(error, { code: 'E_DISK', disk: 7, details: { free: { bytes: 0 } } });
};
exports.throwValue = ({ value, isUndefined }) => {
  throw isUndefined ? undefined : value;
};
exports.valueOf = ({ kind }) => makeValue(kind);

exports.print = async ({ text, stream = 'stdout', thenMs = 0 }) => {
  process[stream].write(text);
  await sleep(thenMs);
  return 'printed';
};
exports.flood = async ({ stream, bytes }) => {
  const piece = `${'x'.repeat(1_023)}\n`;
  for (let sent = 0; sent < bytes; sent += piece.length) {
    if (!process[stream].write(piece)) await new Promise((resolve) => process[stream].once('drain', resolve));
  }
  return 'flooded';
};
exports.report = async ({ steps }, context) => {
  for (let step = 1; step <= steps; step += 1) context.progress({ step });
  return 'reported';
};
exports.chunks = async ({ count }, context) => {
  for (let i = 0; i < count; i += 1) {
    await context.emit(i);
    writeFileSync(path('emitted'), `${i + 1}`);
  }
  return 'all sent';
};
exports.breakGlobals = () => {
  globalThis.setTimeout = () => {
    throw new Error('this setTimeout is broken');
  };
  globalThis.setImmediate = globalThis.setTimeout;
  globalThis.setInterval = globalThis.setTimeout;
  globalThis.console = undefined;
  globalThis.process = undefined;
  return 'broken';
};
exports.nest = async ({ peer, kind }) => {
  const { peers } = await import('../peers/all.mjs');
  const pool = peers[peer].open({ max: 1 }, kind);
  const value = await pool.run('echo', 'from below');
  await pool.stop();
  return value;
};
