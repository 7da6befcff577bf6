import { sleep, systemClock } from '@pawl/core';
import { isObject } from '../line.ts';
import { frame, welcomeFrame } from '../host-frames.ts';
import type { RawWorker } from '../raw-worker.ts';
import { expect, expectResult, expectUsable, type Rule, rulesOf, show } from '../rule.ts';

const REASON = 'conformance refuses this worker to see what it does';
/** How long a refused worker is given to leave by itself. */
const REFUSED_MS = 1_000;

export const handshakeRules: readonly Rule[] = rulesOf('Handshake', [
  {
    id: 'hello.first-frame',
    says: "The worker's first frame is `hello`, and nothing is on the channel before it.",
    async check(worker) {
      await worker.hello();
      const [first] = worker.lines;
      expect(
        first?.message?.['method'] === 'hello' && !Object.hasOwn(first.message, 'id'),
        `The first line is ${first === undefined ? 'missing' : show(first)}.`,
      );
    },
  },
  {
    id: 'hello.protocol',
    says: '`protocol` names the versions the worker speaks, as `{min, max}`; version 1 is one of them.',
    async check(worker) {
      const { protocol } = await worker.hello();
      expect(isObject(protocol), `\`protocol\` is ${JSON.stringify(protocol)}.`);
      const { min, max } = protocol;
      expect(
        Number.isSafeInteger(min) &&
          Number.isSafeInteger(max) &&
          (min as number) <= 1 &&
          (max as number) >= 1,
        `\`protocol\` is ${JSON.stringify(protocol)}.`,
      );
    },
  },
  {
    id: 'hello.pid',
    says: "`pid` is the worker's process id.",
    async check(worker) {
      const { pid } = await worker.hello();
      expect(Number.isSafeInteger(pid) && (pid as number) > 0, `\`pid\` is ${JSON.stringify(pid)}.`);
      // A command may start the worker in its turn, so it need not be the process that the kit started.
      expect(pid === worker.child.pid || isAlive(pid as number), `There is no process ${String(pid)}.`);
    },
  },
  {
    id: 'hello.tasks',
    says: '`tasks` names the tasks the worker can run.',
    async check(worker) {
      const { tasks } = await worker.hello();
      expect(isStrings(tasks), `\`tasks\` is ${JSON.stringify(tasks)}.`);
    },
  },
  {
    id: 'hello.features',
    says: '`features`, if there, is an array of strings.',
    async check(worker) {
      const { features } = await worker.hello();
      expect(features === undefined || isStrings(features), `\`features\` is ${JSON.stringify(features)}.`);
    },
  },
  {
    id: 'hello.describes',
    says: '`name`, `language` and `version`, if there, are strings.',
    async check(worker) {
      const hello = await worker.hello();
      for (const key of ['name', 'language', 'version']) {
        const value = hello[key];
        expect(
          value === undefined || typeof value === 'string',
          `\`${key}\` is ${JSON.stringify(value)}, not a string.`,
        );
      }
    },
  },
  {
    id: 'hello.once',
    says: '`hello` is sent once.',
    async check(worker) {
      await worker.settle();
      const hellos = worker.lines.filter(({ message }) => message?.['method'] === 'hello').length;
      expect(hellos === 1, `There were ${hellos} of it.`);
    },
  },
  {
    id: 'welcome.requests-at-once',
    says: 'Requests may follow `welcome` at once, in the same write.',
    worker: 'silent',
    async check(worker) {
      await worker.hello();
      const id = worker.nextId();
      worker.write(welcomeFrame() + frame({ id, method: 'ping' }));
      expectResult(await worker.answer(id));
    },
  },
  {
    id: 'welcome.unknown-fields',
    says: 'A field of `welcome` that the worker does not know is ignored.',
    worker: 'silent',
    async check(worker) {
      await worker.hello();
      worker.write(welcomeFrame().replace('"protocol":1', '"protocol":1,"later":{"min":[2]}'));
      await sleep(systemClock, 40);
      await expectUsable(worker);
    },
  },
  {
    id: 'refuse.exits',
    says: 'A worker that is refused exits.',
    level: 'should',
    worker: 'silent',
    async check(worker) {
      await refuse(worker);
      expect((await worker.exit(REFUSED_MS)) !== undefined, 'It was still there after a second.');
    },
  },
  {
    id: 'refuse.says-why',
    says: 'A worker that is refused prints the reason to stderr.',
    level: 'should',
    worker: 'silent',
    async check(worker) {
      await refuse(worker);
      worker.closeInput();
      await worker.exit(REFUSED_MS);
      // What it printed last may still be in the pipe.
      for (let turn = 0; turn < 10 && !worker.stderr.includes(REASON); turn += 1)
        await sleep(systemClock, 20);
      expect(worker.stderr.includes(REASON), 'The reason is not in what it printed to stderr.');
    },
  },
]);

async function refuse(worker: RawWorker): Promise<void> {
  await worker.hello();
  worker.notify('refuse', { reason: REASON, supported: { min: 7, max: 9 } });
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
