import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { holdsMark } from './process-mark.ts';
import { type ProcessEntry, type ProcessTable, shownCommand } from './process-table.ts';

/** `-E` adds the environment to the command on macOS; other systems have no such option in common. */
const PS_OPTIONS: readonly string[] = process.platform === 'darwin' ? ['-A', '-E', '-ww'] : ['-A', '-ww'];
const PS_COLUMNS = 'pid=,ppid=,pgid=,stat=,lstart=,command=';
const PS_LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\d{4})\s+(.*)$/;
const PS_TIMEOUT_MS = 2_000;
const PS_OUTPUT_BYTES = 64 * 1024 * 1024;

/** @param options which processes, and whether with their environment behind the command */
export function psProcessTable(options: readonly string[] = PS_OPTIONS): ProcessTable {
  return {
    // A program would have to be started for each question.
    startOf: () => undefined,
    lastPid: () => undefined,
    async list(pids) {
      const { stdout } = await promisify(execFile)('ps', [...options, '-o', PS_COLUMNS], {
        env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
        maxBuffer: PS_OUTPUT_BYTES,
        timeout: PS_TIMEOUT_MS,
      });
      const entries = stdout.split('\n').flatMap((line) => psEntry(line) ?? []);
      return pids === undefined ? entries : entries.filter(({ pid }) => pids.includes(pid));
    },
  };
}

function psEntry(line: string): ProcessEntry | undefined {
  const [, pid, parentPid, groupId, state, startedAt, command] = PS_LINE.exec(line) ?? [];
  if (command === undefined || startedAt === undefined || state?.startsWith('Z') === true) return undefined;
  return {
    pid: Number(pid),
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: 0,
    startedAt,
    hasMark: (mark) => command.split(' ').some((word) => holdsMark(word, mark)),
    isCurrent: () => true,
    // The environment begins at the first word of the kind `NAME=`.
    command: () => shownCommand(command.replace(/ [A-Za-z_]\w*=.*$/s, '')),
  };
}
