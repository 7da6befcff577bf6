import { createManualClock } from '@pawl/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Admitted, createAdmission, type AdmissionOptions, type TokenDemand } from './admission.ts';
import { systemPressureProbe } from './system-pressure.ts';

const GIBIBYTE = 1024 ** 3;

/** A machine of two CPUs whose load a test sets, and whose samples are counted. */
function setup(options: Partial<AdmissionOptions> = {}) {
  const clock = createManualClock();
  const machine = { busyCpus: 0, freeMemoryBytes: 16 * GIBIBYTE, samples: 0 };
  let busyMs = 0;
  let at = clock.now();
  const admission = createAdmission({
    clock,
    probe: {
      cpuTimes() {
        machine.samples += 1;
        busyMs += machine.busyCpus * (clock.now() - at);
        at = clock.now();
        return { busyMs, perSecondMs: 2_000 };
      },
      freeMemoryBytes: () => machine.freeMemoryBytes,
    },
    ...options,
  });
  return { admission, clock, machine };
}

/** Asks, and notes in `log` when it was let in. */
function ask(
  { admission, log }: { admission: ReturnType<typeof setup>['admission']; log: string[] },
  name: string,
  demand?: TokenDemand,
  signal?: AbortSignal,
): Promise<Admitted> {
  const asked = admission.acquire(demand, signal === undefined ? {} : { signal });
  asked.then(
    () => log.push(name),
    () => log.push(`${name} gave up`),
  );
  return asked;
}

describe('createAdmission', () => {
  it('lets in while the machine has room', async () => {
    const { admission } = setup();
    expect(admission.check()).toEqual({ admitted: true });
    using _ = await admission.acquire();
  });

  it('tells that the CPUs are busy, and lets in when they are not', async () => {
    const { admission, clock, machine } = setup();
    machine.busyCpus = 1.8;
    // The first look has nothing to compare with.
    expect(admission.check()).toEqual({ admitted: true });
    await clock.advance(1_000);
    expect(admission.check()).toEqual({
      admitted: false,
      cause: 'cpu',
      reason: 'The CPUs are 90 % busy; up to 80 % are allowed.',
    });
    machine.busyCpus = 1.5;
    await clock.advance(1_000);
    expect(admission.check()).toEqual({ admitted: true });
  });

  it('tells that memory is short', () => {
    const { admission, machine } = setup();
    machine.freeMemoryBytes = 4 * GIBIBYTE - 1;
    expect(admission.check()).toEqual({
      admitted: false,
      cause: 'memory',
      reason: '4294967295 bytes of memory are free; 4294967296 have to be left.',
    });
  });

  it('does not look at what has no limit', () => {
    const { admission, machine } = setup({ maxCpu: 1, minFreeMemoryBytes: 0 });
    machine.freeMemoryBytes = 0;
    expect(admission.check()).toEqual({ admitted: true });
    expect(machine.samples).toBe(0);
  });

  it('takes at most one sample a second, none while nobody asks, and no old one for a new one', async () => {
    const { admission, clock, machine } = setup();
    for (let i = 0; i < 100; i += 1) admission.check();
    expect(machine.samples).toBe(1);
    await clock.advance(999);
    admission.check();
    expect(machine.samples).toBe(1);
    await clock.advance(1);
    admission.check();
    expect(machine.samples).toBe(2);
    // An hour of full load, of which the last second may have been quiet.
    machine.busyCpus = 2;
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(3_600_000);
    expect(machine.samples).toBe(2);
    expect(admission.stats().pressure.cpu).toBeUndefined();
    await clock.advance(1_000);
    expect(admission.stats().pressure.cpu).toBe(1);
  });

  it('looks again every second while somebody waits for the machine, and lets all in, in order', async () => {
    const context = { ...setup(), log: [] as string[] };
    const { admission, clock, machine, log } = context;
    machine.freeMemoryBytes = 0;
    void ask(context, 'first');
    void ask(context, 'second');
    await clock.advance(3_000);
    expect(log).toEqual([]);
    expect(admission.stats().waiting).toBe(2);
    machine.freeMemoryBytes = 8 * GIBIBYTE;
    await clock.advance(999);
    void ask(context, 'third');
    await clock.advance(1);
    expect(log).toEqual(['first', 'second', 'third']);
    expect(clock.pendingTimers).toBe(0);
  });

  describe('tokens', () => {
    const withTokens = (tokens: TokenDemand) => ({ ...setup({ tokens }), log: [] as string[] });

    it('are taken all together or not at all', async () => {
      const context = withTokens({ gpu: 2, licence: 1 });
      const { admission, clock, log } = context;
      const one = await ask(context, 'one', { licence: 1 });
      void ask(context, 'both', { gpu: 2, licence: 1 });
      await clock.settle();
      expect(log).toEqual(['one']);
      expect(admission.stats()).toMatchObject({ waiting: 1, free: { gpu: 2, licence: 0 } });
      one.release();
      await clock.settle();
      expect(log).toEqual(['one', 'both']);
      expect(admission.stats().free).toEqual({ gpu: 0, licence: 0 });
    });

    it('go to who asked first, even if a later one needs fewer; who needs others is not held up', async () => {
      const context = withTokens({ gpu: 2, licence: 1 });
      const { admission, clock, log } = context;
      const held = await ask(context, 'held', { gpu: 1 });
      void ask(context, 'large', { gpu: 2 });
      void ask(context, 'small', { gpu: 1 });
      void ask(context, 'other', { licence: 1 });
      void ask(context, 'none');
      await clock.settle();
      expect(log).toEqual(['held', 'other', 'none']);
      expect(admission.check({ gpu: 1 })).toEqual({
        admitted: false,
        cause: 'tokens',
        reason: 'It needs 1 tokens `gpu`; others wait for them.',
      });
      held.release();
      await clock.settle();
      expect(log.slice(3)).toEqual(['large']);
    });

    it('tell how many are left', async () => {
      const { admission } = withTokens({ gpu: 2 });
      await admission.acquire({ gpu: 1 });
      expect(admission.check({ gpu: 2 })).toEqual({
        admitted: false,
        cause: 'tokens',
        reason: 'It needs 2 tokens `gpu`; 1 of 2 are free.',
      });
    });

    it('are not waited for any more after an abort, and those behind go on', async () => {
      const context = withTokens({ gpu: 2 });
      const { admission, clock, log } = context;
      const held = await ask(context, 'held', { gpu: 1 });
      const controller = new AbortController();
      const large = ask(context, 'large', { gpu: 2 }, controller.signal);
      void ask(context, 'small', { gpu: 1 });
      controller.abort(new Error('enough'));
      await expect(large).rejects.toThrow('enough');
      await clock.settle();
      expect(log.toSorted()).toEqual(['held', 'large gave up', 'small']);
      held.release();
      await expect(admission.acquire({}, { signal: controller.signal })).rejects.toThrow('enough');
    });

    it('are taken without waiting, or not at all, and never past those who wait', async () => {
      const { admission, clock } = withTokens({ gpu: 2 });
      const held = admission.tryAcquire({ gpu: 1 });
      expect(admission.stats().free).toEqual({ gpu: 1 });
      expect(admission.tryAcquire({ gpu: 2 })).toBeUndefined();
      const waiting = admission.acquire({ gpu: 2 });
      expect(admission.tryAcquire({ gpu: 1 })).toBeUndefined();
      expect(admission.stats()).toMatchObject({ waiting: 1, free: { gpu: 1 } });
      held?.release();
      await clock.settle();
      (await waiting).release();
      expect(admission.stats()).toMatchObject({ waiting: 0, free: { gpu: 2 } });
      expect(() => admission.tryAcquire({ tpu: 1 })).toThrow(/no tokens `tpu`/);
    });

    it('can be given back once', async () => {
      const { admission } = withTokens({ gpu: 1 });
      const held = await admission.acquire({ gpu: 1 });
      held.release();
      expect(() => held.release()).toThrow(expect.objectContaining({ code: 'ALREADY_RELEASED' }));
      expect(admission.stats().free).toEqual({ gpu: 1 });
    });

    it('never become more or fewer, and nobody waits for ever', async () => {
      const demandOf = fc.record({ a: fc.nat({ max: 3 }), b: fc.nat({ max: 2 }) });
      const step = fc.oneof(
        demandOf.map((demand) => ({ demand })),
        fc.constantFrom({ demand: undefined }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const { admission, clock } = setup({ tokens: { a: 3, b: 2 } });
          const held: { readonly demand: TokenDemand; readonly release: () => void }[] = [];
          let asked = 0;
          let let_in = 0;
          for (const { demand } of steps) {
            if (demand === undefined) held.shift()?.release();
            else {
              asked += 1;
              void admission.acquire(demand).then((admitted) => {
                let_in += 1;
                held.push({ demand, release: () => admitted.release() });
              });
            }
            await clock.settle();
            const { free } = admission.stats();
            for (const [name, total] of [
              ['a', 3],
              ['b', 2],
            ] as const) {
              const taken = held.reduce((sum, each) => sum + (each.demand[name] ?? 0), 0);
              expect(free[name]).toBe(total - taken);
              expect(free[name]).toBeGreaterThanOrEqual(0);
            }
          }
          while (held.length > 0) {
            held.shift()?.release();
            await clock.settle();
          }
          expect(let_in).toBe(asked);
          expect(admission.stats()).toMatchObject({ waiting: 0, free: { a: 3, b: 2 } });
        }),
      );
    });

    it.each([
      [{ tpu: 1 }, /no tokens `tpu`; known: gpu/],
      [{ gpu: 3 }, /`demand\.gpu` to be an integer from 0 to 2/],
    ])('can not be asked for as %j', async (demand, message) => {
      const { admission } = withTokens({ gpu: 2 });
      await expect(admission.acquire(demand as TokenDemand)).rejects.toThrow(message);
      expect(admission.stats().waiting).toBe(0);
    });
  });

  it.each([
    [{ maxCpu: 80 }, /`maxCpu` to be a number from 0 to 1/],
    [{ tokens: { gpu: 0 } }, /`tokens\.gpu` to be an integer ≥ 1/],
    [{ token: {} }, /did you mean `tokens`/],
  ])('refuses %j', (options, message) => {
    expect(() => createAdmission(options as never)).toThrow(message);
  });

  it('works on the real machine', async () => {
    const clock = createManualClock();
    const admission = createAdmission({ clock, minFreeMemoryBytes: 1 });
    expect(admission.stats().pressure.freeMemoryBytes).toBeGreaterThan(1024);
    await clock.advance(1_000);
    const { cpu } = admission.stats().pressure;
    expect(cpu).toBeGreaterThanOrEqual(0);
    expect(cpu).toBeLessThanOrEqual(1);
  });
});

describe('systemPressureProbe', () => {
  const from = (files: Record<string, string>) => systemPressureProbe({ read: (path) => files[path] });

  it('obeys the limits of a container, version 2', () => {
    const probe = from({
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': '1000\n',
      '/sys/fs/cgroup/memory.current': '900\n',
      '/sys/fs/cgroup/memory.stat': 'anon 400\ninactive_file 300\nactive_file 200\n',
      '/sys/fs/cgroup/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/cpu.stat': 'usage_usec 2500000\nuser_usec 1\n',
    });
    expect(probe.freeMemoryBytes()).toBe(400);
    expect(probe.cpuTimes()).toEqual({ busyMs: 2_500, perSecondMs: 1_500 });
  });

  it('obeys the tightest of the groups above it', () => {
    const probe = from({
      '/proc/self/cgroup': '0::/pods/mine\n',
      '/sys/fs/cgroup/pods/mine/memory.max': 'max\n',
      '/sys/fs/cgroup/pods/mine/memory.current': '10\n',
      '/sys/fs/cgroup/pods/memory.max': '500\n',
      '/sys/fs/cgroup/pods/memory.current': '450\n',
      '/sys/fs/cgroup/pods/mine/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/pods/cpu.max': '50000 100000\n',
      '/sys/fs/cgroup/pods/cpu.stat': 'usage_usec 7000\n',
    });
    expect(probe.freeMemoryBytes()).toBe(50);
    expect(probe.cpuTimes()).toEqual({ busyMs: 7, perSecondMs: 500 });
  });

  it('obeys version 1', () => {
    const probe = from({
      '/proc/self/cgroup': '5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n0::/\n',
      '/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': '1000\n',
      '/sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes': '300\n',
      '/sys/fs/cgroup/memory/docker/x/memory.stat': 'total_inactive_file 100\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '5\n',
      '/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpuacct/docker/x/cpuacct.usage': '3000000000\n',
    });
    expect(probe.freeMemoryBytes()).toBe(800);
    expect(probe.cpuTimes()).toEqual({ busyMs: 3_000, perSecondMs: 2_000 });
  });

  it('asks the machine where there is no limit', () => {
    const { busyMs, perSecondMs } = from({}).cpuTimes();
    expect(busyMs).toBeGreaterThan(0);
    expect(perSecondMs % 1_000).toBe(0);
    expect(from({}).freeMemoryBytes()).toBeGreaterThan(0);
  });
});
