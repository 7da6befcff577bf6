import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createDescendantReaper } from './descendant-reaper.ts';
import { createDescendantFinder } from './descendants.ts';
import { createProcessHandle } from './process-handle.ts';
import type { ProcessEntry, ProcessTable } from './process-table.ts';

interface FakeProcess {
  readonly pid: number;
  readonly parentPid?: number;
  readonly groupId?: number;
  readonly sessionId?: number;
  readonly startedAt?: number;
  readonly mark?: string;
}

/** A process table of which every look is counted. None of its processes can be signalled, so all of them live on. */
function setup(processes: readonly FakeProcess[], lastPid?: number) {
  const looks: (readonly number[] | undefined)[] = [];
  const marksRead: number[] = [];
  const entries = processes.map((each): ProcessEntry => ({
    pid: each.pid,
    parentPid: each.parentPid ?? 1,
    groupId: each.groupId ?? each.pid,
    sessionId: each.sessionId ?? each.pid,
    startedAt: String(each.startedAt ?? 100),
    hasMark: (mark) => {
      marksRead.push(each.pid);
      return each.mark === mark;
    },
    isCurrent: () => false,
    command: () => `process ${each.pid}`,
  }));
  const table: ProcessTable = {
    startOf: (pid) => entries.find((entry) => entry.pid === pid)?.startedAt,
    lastPid: () => lastPid,
    list(pids) {
      looks.push(pids);
      return entries.filter(({ pid }) => pids?.includes(pid) ?? true);
    },
  };
  const finder = createDescendantFinder(table);
  const ask = (pid: number, more: { readonly ageMs?: number; readonly startedAt?: string } = {}) =>
    finder.find({ pid, mark: `mark-${pid}`, startedAt: '100', ageMs: 60_000, known: [], ...more });
  const pidsOf = (found: readonly ProcessEntry[]) => found.map(({ pid }) => pid);
  return { finder, ask, looks, marksRead, pidsOf, entries };
}

describe('createDescendantFinder', () => {
  it('knows them by group, session and mark, and their children by their parents', async () => {
    const { ask, pidsOf } = setup([
      { pid: 50 },
      { pid: 51, groupId: 50 },
      { pid: 52, sessionId: 50 },
      { pid: 53, mark: 'mark-50' },
      { pid: 54, parentPid: 53 },
      { pid: 55, parentPid: 54 },
      { pid: 56, mark: 'mark-5' },
      { pid: 57, parentPid: 50 },
    ]);
    expect(pidsOf(await ask(50))).toEqual([51, 52, 53, 54, 55]);
  });

  it('reads no environment of what is older than the one asked about', async () => {
    const { ask, pidsOf, marksRead } = setup([
      { pid: 10, startedAt: 99, mark: 'mark-50' },
      { pid: 60, startedAt: 100, mark: 'mark-50' },
    ]);
    expect(pidsOf(await ask(50))).toEqual([60]);
    expect(marksRead).toEqual([60]);
  });

  it('looks once for all that is asked in one turn', async () => {
    const { ask, pidsOf, looks } = setup([
      { pid: 60, mark: 'mark-50' },
      { pid: 61, mark: 'mark-51' },
    ]);
    const found = await Promise.all([ask(50), ask(51), ask(52)]);
    expect(found.map(pidsOf)).toEqual([[60], [61], []]);
    expect(looks).toEqual([undefined]);
    await ask(50);
    expect(looks).toHaveLength(2);
  });

  it('looks only at the pids that were given since a young one was started', async () => {
    const { ask, pidsOf, looks } = setup([{ pid: 52, mark: 'mark-50' }], 53);
    expect(pidsOf(await ask(50, { ageMs: 10 }))).toEqual([52]);
    expect(looks).toEqual([[51, 52, 53]]);
  });

  it.each([
    ['nothing was started since', 50, [[]]],
    ['very many were', 600, [undefined]],
    ['the count began anew', 12, [undefined]],
    ['nobody tells the last pid', undefined, [undefined]],
  ])('takes care when %s', async (_what, lastPid, looked) => {
    const { ask, looks } = setup([], lastPid);
    await ask(50, { ageMs: 10 });
    expect(looks).toEqual(looked);
  });

  it('finds nothing where there is no table, or it fails', async () => {
    const asked = { pid: 1, mark: 'm', startedAt: undefined, ageMs: 0, known: [] };
    expect(await createDescendantFinder(undefined).find(asked)).toEqual([]);
    const failing = createDescendantFinder({
      startOf: () => undefined,
      lastPid: () => undefined,
      list: () => Promise.reject(new Error('no ps')),
    });
    expect(await failing.find(asked)).toEqual([]);
  });

  it('tells who hangs on a living process, and of nobody once its pid is that of another', () => {
    const { finder, pidsOf, looks } = setup([
      { pid: 50 },
      { pid: 51, parentPid: 50 },
      { pid: 52, parentPid: 51 },
      { pid: 53 },
    ]);
    expect(pidsOf(finder.below({ pid: 50, startedAt: '100' }))).toEqual([51, 52]);
    expect(pidsOf(finder.below({ pid: 53, startedAt: '100' }))).toEqual([]);
    expect(looks).toHaveLength(1);
    expect(finder.below({ pid: 50, startedAt: '7' })).toEqual([]);
    expect(finder.below({ pid: 50, startedAt: undefined })).toEqual([]);
  });
});

describe('createDescendantReaper', () => {
  it('names after a second what can not be ended', async () => {
    const { finder } = setup([{ pid: 60, mark: 'mark-50' }]);
    const clock = createManualClock();
    const reaper = createDescendantReaper({
      pid: 50,
      mark: 'mark-50',
      finder,
      tableStart: '100',
      startedAt: clock.now(),
      clock,
    });
    const survivors = reaper.end();
    const settled = survivors.then(() => clock.now());
    while (await clock.advanceToNext());
    expect(await survivors).toEqual([{ pid: 60, command: 'process 60' }]);
    expect(await settled).toBeGreaterThanOrEqual(1_000);
    expect(await settled).toBeLessThan(1_200);
  });

  it('follows one whose parent dies first, and nothing else tells of it', async () => {
    const processes = [
      { pid: 60, mark: 'mark-50' },
      { pid: 61, parentPid: 60 },
    ];
    const { finder, entries } = setup(processes);
    const clock = createManualClock();
    const reaper = createDescendantReaper({
      pid: 50,
      mark: 'mark-50',
      finder,
      tableStart: '100',
      startedAt: clock.now(),
      clock,
    });
    const survivors = reaper.end();
    await clock.settle();
    await clock.settle();
    entries.shift();
    while (await clock.advanceToNext());
    expect(await survivors).toEqual([{ pid: 61, command: 'process 61' }]);
  });
});

describe('createProcessHandle', () => {
  it('does not wait for ever for a process that SIGKILL does not end, and names it', async () => {
    const clock = createManualClock();
    const { finder } = setup([]);
    const handle = createProcessHandle({
      id: 'process-1',
      // Of a pid that no system gives, so that nothing is signalled.
      child: {
        pid: 2 ** 30,
        stdio: [],
        onExit: () => undefined,
        ref: () => undefined,
        unref: () => undefined,
      },
      command: 'stuck',
      mark: 'mark',
      hasChannel: false,
      descendants: 'end',
      finder,
      tableStart: undefined,
      clock,
    });
    const report = handle.terminate({ graceMs: 1_000 });
    await clock.advance(1_000 + 5_000);
    expect(await report).toEqual({
      exitCode: null,
      signal: null,
      forced: true,
      survivors: [{ pid: 2 ** 30, command: 'stuck' }],
    });
  });
});
