import { readdir, readFile } from 'node:fs/promises';

/** What processes use now. */
export interface ProcessUsage {
  /** Resident memory; what processes share counts for each of them. */
  readonly rssBytes: number;
  /** CPU time used so far, in milliseconds, to 10 of them. */
  readonly cpuMs: number;
  readonly processes: number;
}

/** A tick of the times in `/proc/<pid>/stat`, in milliseconds: 100 of them a second on every Linux (proc(5)). */
const TICK_MS = 10;
/** Generations of processes. */
const MAX_DEPTH = 100;
/** Files read at a time. */
const BATCH = 64;

/**
 * What each of these processes uses together with its group and all that descends from it. Empty where there is no
 * `/proc`.
 */
export async function readProcessUsage(roots: readonly number[]): Promise<ReadonlyMap<number, ProcessUsage>> {
  const usage = new Map<number, ProcessUsage>();
  if (roots.length === 0 || process.platform !== 'linux') return usage;
  const table = await readProcessTable();
  const wanted = new Set(roots);

  function rootOf(pid: number): number | undefined {
    let at = pid;
    // As far up as a process has parents; not in a circle, should numbers have been used anew meanwhile.
    for (let steps = 0; steps < MAX_DEPTH; steps += 1) {
      if (wanted.has(at)) return at;
      const entry = table.get(at);
      if (entry === undefined) return undefined;
      if (wanted.has(entry.group)) return entry.group;
      at = entry.parent;
    }
    return undefined;
  }

  await eachBatch([...table], async ([pid, { cpuMs }]) => {
    const root = rootOf(pid);
    if (root === undefined) return;
    const rssBytes = await readRssBytes(pid);
    const sum = usage.get(root) ?? { rssBytes: 0, cpuMs: 0, processes: 0 };
    usage.set(root, {
      rssBytes: sum.rssBytes + rssBytes,
      cpuMs: sum.cpuMs + cpuMs,
      processes: sum.processes + 1,
    });
  });
  return usage;
}

interface ProcessEntry {
  readonly parent: number;
  readonly group: number;
  readonly cpuMs: number;
}

async function readProcessTable(): Promise<ReadonlyMap<number, ProcessEntry>> {
  const table = new Map<number, ProcessEntry>();
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  await eachBatch(names, async (name) => {
    const stat = await readIfThere(`/proc/${name}/stat`);
    // `pid (any name) state ppid pgrp …`: user and system time are the 14th and 15th field of all.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 13 || fields[0] === 'Z') return;
    table.set(Number(name), {
      parent: Number(fields[1]),
      group: Number(fields[2]),
      cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    });
  });
  return table;
}

async function readRssBytes(pid: number): Promise<number> {
  const status = await readIfThere(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
}

async function eachBatch<T>(items: readonly T[], fn: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += BATCH) {
    await Promise.all(items.slice(from, from + BATCH).map(fn));
  }
}

/** `''` when the process ended while we looked. */
async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return '';
  }
}
