import { strict as assert } from 'node:assert';
import { hasCode } from '../pawl-error.ts';
import type { Service } from '../service.ts';

/** One rule of the service lifecycle, for any test runner: `it(check.title, check.run)`. */
export interface ContractCheck {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/**
 * The rules every {@link Service} keeps, as checks to run against yours.
 * @param create makes a fresh service that was not started; it must be able to start and to stop
 */
export function serviceContract(create: () => Service | Promise<Service>): readonly ContractCheck[] {
  const check = (title: string, body: (service: Service) => Promise<void>): ContractCheck => ({
    title,
    run: async () => {
      const service = await create();
      try {
        await body(service);
      } catch (error) {
        // The rule that was broken is the news, not what the clean-up makes of it.
        await service.stop({ graceMs: 0 }).catch(() => undefined);
        throw error;
      }
      await service.stop({ graceMs: 0 });
    },
  });

  return [
    check('is idle before it is started', async (service) => {
      assert.equal(service.state, 'idle');
    }),
    check('is running after its start', async (service) => {
      await service.start();
      assert.equal(service.state, 'running');
    }),
    check('joins a second start to the first', async (service) => {
      await Promise.all([service.start(), service.start()]);
      await service.start();
      assert.equal(service.state, 'running');
    }),
    check('is stopped after its stop, and says that it drained', async (service) => {
      await service.start();
      const report = await service.stop();
      assert.equal(service.state, 'stopped');
      assert.deepEqual(report, { drained: true, orphaned: [] });
    }),
    check('may be stopped before it is started', async (service) => {
      assert.deepEqual(await service.stop(), { drained: true, orphaned: [] });
      assert.equal(service.state, 'stopped');
    }),
    check('gives two stops one promise', async (service) => {
      await service.start();
      const first = service.stop();
      assert.equal(service.stop(), first);
      await first;
      assert.equal(service.stop(), first);
    }),
    check('may be stopped while it starts', async (service) => {
      const started = service.start().catch(() => undefined);
      await service.stop();
      await started;
      assert.equal(service.state, 'stopped');
    }),
    check('refuses to start again after a stop', async (service) => {
      await service.start();
      await service.stop();
      await assert.rejects(service.start(), (error) => hasCode(error, 'SERVICE_STOPPED'));
      assert.equal(service.state, 'stopped');
    }),
    check('stops when it is disposed', async (service) => {
      await service.start();
      await service[Symbol.asyncDispose]();
      assert.equal(service.state, 'stopped');
    }),
    check('refuses a grace that is no duration', async (service) => {
      for (const graceMs of [-1, Number.NaN]) {
        await assert.rejects(() => service.stop({ graceMs }), /`graceMs`/);
      }
    }),
  ];
}
