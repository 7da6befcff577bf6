import { expect, expectResult, expectUsable, type Rule, rulesOf, show } from '../rule.ts';

export const channelRules: readonly Rule[] = rulesOf('The channel', [
  {
    id: 'channel.default-is-stdout',
    says: 'A worker that does not find `PAWL_CHANNEL` writes to stdout.',
    level: 'should',
    worker: 'silent without PAWL_CHANNEL',
    async check(worker) {
      await worker.welcome();
      await expectUsable(worker);
    },
  },
  {
    id: 'channel.print-costs-no-frame',
    says: 'A print without a newline in front of a frame does not take that frame with it.',
    tasks: ['print'],
    async check(worker) {
      expectResult(await worker.answer(worker.run('print', { text: 'no newline here' })));
      await expectUsable(worker);
    },
  },
  {
    id: 'channel.prints-stay-away',
    says: 'What a task prints does not get onto the channel.',
    level: 'should',
    tasks: ['print'],
    async check(worker) {
      const id = worker.nextId();
      const forged = `{"jsonrpc":"2.0","id":${id},"result":"printed, not answered"}`;
      worker.request(
        'run',
        { task: 'print', input: { text: `\n${forged}\n` }, runId: 'forged', attempt: 1 },
        id,
      );
      await worker.settle();
      const stray = worker.lines.find(({ bytes }) =>
        bytes.toString('latin1').includes('printed, not answered'),
      );
      expect(stray === undefined, `It came over the channel: ${stray === undefined ? '' : show(stray)}.`);
      expectResult(await worker.answer(id));
    },
  },
  {
    id: 'channel.not-inherited',
    says: "The descriptor of the channel is not inherited by the worker's own children.",
    level: 'should',
    tasks: ['spawn'],
    worker: 'welcomed',
    async check(worker) {
      expectResult(await worker.answer(worker.run('spawn', null)));
      worker.notify('shutdown', { graceMs: 1_000 });
      worker.closeInput();
      expect((await worker.exit(1_000)) !== undefined, 'The worker did not exit.');
      const ended = await worker.channelEnds(1_000);
      expect(ended, 'A child of the worker holds the channel open: it has not ended with the worker.');
    },
  },
]);
