import { createManualClock } from '@pawl/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assessHealth,
  DEFAULT_HEALTH_LIMITS,
  type HealthFacts,
  type HealthReport,
  UNKNOWN_HEALTH,
} from './health.ts';
import { createWorkerHealth } from './worker-health.ts';

const GOOD: HealthFacts = {
  silentMs: 10,
  missedPings: 0,
  lagMs: 0,
  runsActive: 0,
  rssBytes: 50_000_000,
  slowestRun: undefined,
  failureRate: 0,
};
const LIMITS = { ...DEFAULT_HEALTH_LIMITS, maxRssBytes: 100, killRssBytes: 200 };

const assess = (facts: Partial<HealthFacts>, previous?: HealthReport): HealthReport =>
  assessHealth({ ...GOOD, rssBytes: 50, ...facts }, previous, LIMITS);

const stuck = (runningMs: number, usualMs: number | undefined): Partial<HealthFacts> => ({
  runsActive: 1,
  slowestRun: { runId: 'r-1', task: 'slow', runningMs, usualMs },
});

describe('assessHealth', () => {
  it.each([
    ['nothing was heard yet', { silentMs: undefined }, 'unknown', 'none', []],
    ['nothing was heard for long', { silentMs: 120_001 }, 'unknown', 'none', []],
    ['all is well', {}, 'healthy', 'none', []],
    ['it is idle for ever, and answers', { silentMs: 0 }, 'healthy', 'none', []],
    ['some pings were missed', { missedPings: 2 }, 'healthy', 'none', []],
    ['too many pings were missed', { missedPings: 3 }, 'unhealthy', 'kill', ['unresponsive']],
    ['a task keeps its loop busy', { lagMs: 60_000, runsActive: 1 }, 'degraded', 'none', ['busy']],
    ['its loop is blocked without a run', { lagMs: 60_000 }, 'degraded', 'recycle', ['busy']],
    ['it holds too much', { rssBytes: 101 }, 'degraded', 'recycle', ['memory']],
    ['it holds far too much', { rssBytes: 201 }, 'unhealthy', 'kill', ['memory']],
    ['a run takes far longer than usual', stuck(30_001, 100), 'degraded', 'none', ['stuck']],
    ['a slow run is slow as usual', stuck(30_001, 10_000), 'healthy', 'none', []],
    ['a run of an unknown task is slow', stuck(3_000_000, undefined), 'healthy', 'none', []],
    ['most runs fail', { failureRate: 0.6 }, 'degraded', 'none', ['failing']],
  ] as const)('when %s', (_when, facts, health, action, faults) => {
    const report = assess(facts);
    expect(report).toMatchObject({ class: health, action });
    expect(report.findings.map(({ fault }) => fault)).toEqual(faults);
  });

  it('says why, with the numbers', () => {
    const { findings } = assess({ missedPings: 3, lagMs: 1_500, rssBytes: 150, ...stuck(40_000, 70.4) });
    expect(findings.map(({ reason }) => reason)).toEqual([
      'It gave no answer to 3 pings in a row.',
      'It holds 150 bytes of memory; 100 are allowed.',
      'Its main loop has been blocked for 1500 ms, with 1 runs.',
      'Run r-1 of "slow" has taken 40000 ms, usually 70 ms.',
    ]);
    expect(findings.find(({ fault }) => fault === 'stuck')?.runId).toBe('r-1');
  });

  it('tells a dead process from a busy one: it is the answer that tells, not the loop', () => {
    expect(assess({ missedPings: 3, runsActive: 1 }).action).toBe('kill');
    expect(assess({ missedPings: 0, lagMs: 600_000, runsActive: 1 }).action).toBe('none');
  });

  it('gets worse at once, and better only after two good assessments in a row', () => {
    let report = assess({ missedPings: 3 });
    const classes = [report.class];
    for (const facts of [{}, { lagMs: 5_000, runsActive: 1 }, {}, {}, {}, { missedPings: 3 }]) {
      report = assess(facts, report);
      classes.push(report.class);
    }
    expect(classes).toEqual([
      'unhealthy',
      'unhealthy',
      'degraded',
      'degraded',
      'healthy',
      'healthy',
      'unhealthy',
    ]);
  });

  it('does not flutter at a limit', () => {
    let report = assess({ rssBytes: 101 });
    for (const rssBytes of [99, 101, 95, 100, 91]) {
      report = assess({ rssBytes }, report);
      expect(report).toMatchObject({ class: 'degraded', action: 'recycle' });
    }
    report = assess({ rssBytes: 90 }, report);
    expect(report).toMatchObject({ class: 'degraded', action: 'none', findings: [] });
    report = assess({ rssBytes: 99 }, report);
    expect(report.class).toBe('healthy');
  });

  describe('for any facts', () => {
    const facts: fc.Arbitrary<HealthFacts> = fc.record({
      silentMs: fc.option(fc.nat({ max: 300_000 }), { nil: undefined }),
      missedPings: fc.nat({ max: 6 }),
      lagMs: fc.option(fc.nat({ max: 5_000 }), { nil: undefined }),
      runsActive: fc.nat({ max: 3 }),
      rssBytes: fc.option(fc.nat({ max: 300 }), { nil: undefined }),
      slowestRun: fc.option(
        fc.record({
          runId: fc.constant('r'),
          task: fc.constant('t'),
          runningMs: fc.nat({ max: 100_000 }),
          usualMs: fc.option(fc.nat({ max: 20_000 }), { nil: undefined }),
        }),
        { nil: undefined },
      ),
      failureRate: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    });
    const fold = (history: readonly HealthFacts[]): HealthReport =>
      history.reduce((report, each) => assessHealth(each, report, LIMITS), UNKNOWN_HEALTH);

    it('there is a way back to healthy from every state', () => {
      fc.assert(
        fc.property(fc.array(facts, { maxLength: 20 }), (history) => {
          let report = fold(history);
          for (let i = 0; i < 2 * LIMITS.recoverAfter; i += 1) report = assess({}, report);
          expect(report).toEqual({ class: 'healthy', action: 'none', findings: [], better: 0 });
        }),
      );
    });

    it('no class is better than the findings, and no action without one', () => {
      const order = ['healthy', 'degraded', 'unhealthy'];
      fc.assert(
        fc.property(fc.array(facts, { minLength: 1, maxLength: 20 }), (history) => {
          const report = fold(history);
          for (const finding of report.findings) {
            expect(order.indexOf(report.class)).toBeGreaterThanOrEqual(order.indexOf(finding.class));
          }
          expect(report.action).toBe(report.findings[0]?.action ?? 'none');
          expect(report.action === 'kill').toBe(report.findings.some(({ action }) => action === 'kill'));
        }),
      );
    });

    it('only silence and memory kill', () => {
      fc.assert(
        fc.property(facts, (each) => {
          const isDead = each.missedPings > LIMITS.maxMissedPings;
          const isHuge = (each.rssBytes ?? 0) > LIMITS.killRssBytes;
          expect(assessHealth(each, undefined, LIMITS).action === 'kill').toBe(isDead || isHuge);
        }),
      );
    });
  });
});

describe('createWorkerHealth', () => {
  function setup() {
    const clock = createManualClock();
    const health = createWorkerHealth({
      limits: { maxRssBytes: 100 },
      usualMs: (task) => (task === 'known' ? 100 : undefined),
      clock,
    });
    const pong = (said: { rssBytes?: number; lagMs?: number; runsActive?: number }): void =>
      health.notePong({ rssBytes: undefined, lagMs: undefined, runsActive: undefined, ...said }, clock.now());
    return { clock, health, pong };
  }

  it('is unknown at first, healthy with the first sign, and unknown again after a long silence', async () => {
    const { clock, health, pong } = setup();
    expect(health.assess([]).class).toBe('unknown');
    health.noteSign(clock.now());
    expect(health.assess([]).class).toBe('healthy');
    await clock.advance(120_001);
    expect(health.assess([]).class).toBe('unknown');
    pong({ rssBytes: 1, lagMs: 0 });
    expect(health.assess([]).class).toBe('healthy');
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes any answer for a sign of life', () => {
    const { clock, health } = setup();
    for (let i = 0; i < 3; i += 1) health.noteMissedPing();
    expect(health.assess([]).action).toBe('kill');
    health.noteRunEnded(true, clock.now());
    expect(health.assess([]).action).toBe('none');
  });

  it('takes CPU time for a sign of life, and for a busy loop', async () => {
    const { clock, health } = setup();
    health.noteSign(clock.now());
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(5_000);
      health.noteSilentWork(clock.now());
      health.noteMissedPing();
      health.noteSilentWork(clock.now());
    }
    const executing = [{ runId: 'r', task: 'other', begunAt: 0 }];
    expect(health.assess(executing)).toMatchObject({ action: 'none', findings: [{ fault: 'busy' }] });
    expect(health.report.findings[0]?.reason).toBe(
      'Its main loop has been blocked for 25000 ms, with 1 runs.',
    );
  });

  it('does not blame a worker for a lag of a run that has ended since', () => {
    const { clock, health, pong } = setup();
    pong({ lagMs: 5_000, runsActive: 1 });
    expect(health.assess([])).toMatchObject({ class: 'degraded', action: 'none' });
    pong({ lagMs: 5_000, runsActive: 0 });
    expect(health.assess([])).toMatchObject({ action: 'recycle' });
    health.noteRunEnded(true, clock.now());
    expect(health.assess([])).toMatchObject({ action: 'none', findings: [] });
  });

  it('finds the run that is furthest beyond its usual time', () => {
    const { clock, health } = setup();
    health.noteSign(clock.now());
    const executing = [
      { runId: 'unknown', task: 'other', begunAt: -300_000 },
      { runId: 'first', task: 'known', begunAt: -30_001 },
      { runId: 'second', task: 'known', begunAt: -10_001 },
    ];
    expect(health.assess(executing).findings).toMatchObject([{ fault: 'stuck', runId: 'first' }]);
    expect(health.assess(executing.slice(2)).findings).toEqual([]);
  });

  it('forgets failed runs when others succeed', () => {
    const { clock, health } = setup();
    const runs = (count: number, succeeded: boolean): void => {
      for (let i = 0; i < count; i += 1) health.noteRunEnded(succeeded, clock.now());
    };
    runs(9, false);
    expect(health.assess([]).findings).toEqual([]);
    runs(1, false);
    expect(health.assess([]).findings).toMatchObject([{ fault: 'failing' }]);
    expect(health.failureRate).toBe(1);
    runs(20, true);
    expect(health.assess([]).findings).toEqual([]);
    expect(health.failureRate).toBeLessThan(0.5);
  });

  it('asks for a replacement of one that grew', () => {
    const { health, pong } = setup();
    pong({ rssBytes: 101 });
    expect(health.assess([])).toMatchObject({ class: 'degraded', action: 'recycle' });
    expect(health.report.findings).toMatchObject([{ fault: 'memory' }]);
    expect(health.rssBytes).toBe(101);
  });
});
