import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { holdsMark } from './process-mark.ts';
import { type ProcessEntry, type ProcessTable, shownCommand } from './process-table.ts';

/** A file of `/proc` is written while it is read, so one read of enough bytes is all of it. */
const STAT_BYTES = 4_096;

export function linuxProcessTable(): ProcessTable {
  const buffer = Buffer.allocUnsafe(STAT_BYTES);
  return {
    startOf: (pid) => entryOf(String(pid), buffer)?.startedAt,
    lastPid: () => Number(readSmall('/proc/loadavg', buffer).trim().split(' ').at(-1)) || undefined,
    list(pids) {
      const entries: ProcessEntry[] = [];
      for (const name of pids?.map(String) ?? readdirSync('/proc')) {
        const first = name.charCodeAt(0);
        if (first < 48 || first > 57) continue;
        const entry = entryOf(name, buffer);
        if (entry !== undefined) entries.push(entry);
      }
      return entries;
    },
  };
}

/** From `/proc/<pid>/stat`: `pid (any name) state ppid pgrp session …`, the start being the 22nd field (proc(5)). */
function entryOf(pid: string, buffer: Buffer): ProcessEntry | undefined {
  const stat = readSmall(`/proc/${pid}/stat`, buffer);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parentPid, groupId, sessionId] = fields;
  const startedAt = fields[19];
  if (startedAt === undefined || state === 'Z' || state === 'X') return undefined;
  return {
    pid: Number(pid),
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startedAt,
    hasMark: (mark) =>
      readWhole(`/proc/${pid}/environ`)
        .split('\0')
        .some((entry) => holdsMark(entry, mark)),
    isCurrent: () => entryOf(pid, buffer)?.startedAt === startedAt,
    command: () => shownCommand(readWhole(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')) || `pid ${pid}`,
  };
}

/** Three system calls, for a walk over all processes makes thousands of them. `''` when it is gone. */
function readSmall(path: string, buffer: Buffer): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** `''` when the process is gone, or is not ours to look into. */
function readWhole(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
