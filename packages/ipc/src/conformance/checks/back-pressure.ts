import { sleep, systemClock } from '@pawl/core';
import { frame } from '../host-frames.ts';
import { expect, expectResult, expectResultOf, type Rule, rulesOf } from '../rule.ts';

const BIG_BYTES = 900_000;
const PINGS = 5_000;

export const backPressureRules: readonly Rule[] = rulesOf('Back-pressure', [
  {
    id: 'pressure.big-both-ways',
    says: 'Big frames may go both ways at once.',
    tasks: ['echo'],
    async check(worker) {
      const text = 'y'.repeat(BIG_BYTES);
      const id = worker.run('echo', text);
      const load = frame({ method: 'no.such.notification', params: { text } });
      for (let count = 0; count < 3; count += 1) worker.write(load);
      expectResultOf(await worker.answer(id), text);
      const behind = worker.request('ping');
      expectResult(await worker.answer(behind));
    },
  },
  {
    id: 'pressure.slow-reader',
    says: 'A host that reads late gets every frame whole.',
    async check(worker) {
      const ids = Array.from({ length: PINGS }, () => worker.nextId());
      const seen = worker.lines.length;
      worker.channel.pause();
      worker.write(ids.map((id) => frame({ id, method: 'ping' })).join(''));
      await sleep(systemClock, 300);
      worker.channel.resume();
      await worker.answer(ids.at(-1) ?? 0);
      await worker.settle();
      const answered = new Set(
        worker.lines
          .slice(seen)
          .map(({ message }) => (message?.['method'] === undefined ? message?.['id'] : 0)),
      );
      const lost = ids.filter((id) => !answered.has(id)).length;
      expect(lost === 0, `Of ${PINGS} answers ${lost} are missing.`);
    },
  },
]);
