import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PAWL } from './processes.ts';

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PawlOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What it reads from stdin. */
  readonly input?: string;
}

/** The command while it runs. */
export interface RunningPawl {
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<Ended>;
}

/** Starts `pawl …args` as users do, with no setting of this machine. */
export function startPawl(
  args: readonly string[],
  { env = {}, cwd = process.cwd(), input = '' }: PawlOptions = {},
): RunningPawl {
  return watch(process.execPath, [PAWL, ...args], { env, cwd, input });
}

/** Runs `pawl …args` to its end. */
export function pawl(args: readonly string[], options?: PawlOptions): Promise<Ended> {
  return startPawl(args, options).exited;
}

/** Opens a terminal of so many columns, starts what is in its arguments, and copies what that shows. */
const IN_TERMINAL = `
import fcntl, os, pty, struct, sys, termios
columns, command = int(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
sys.exit(os.waitpid(pid, 0)[1] >> 8)
`;

/** Runs `pawl …args` on a terminal; stdout has what it shows, stderr included. */
export function pawlOnTerminal(
  args: readonly string[],
  { columns, env = {} }: { readonly columns: number; readonly env?: Readonly<Record<string, string>> },
): RunningPawl {
  const command = ['-c', IN_TERMINAL, String(columns), process.execPath, PAWL, ...args];
  return watch('python3', command, { env: { TERM: 'xterm', ...env }, cwd: process.cwd(), input: '' });
}

function watch(
  command: string,
  args: readonly string[],
  { env, cwd, input }: Required<PawlOptions>,
): RunningPawl {
  const {
    NO_COLOR: _noColor,
    FORCE_COLOR: _forceColor,
    PAWL_URL: _url,
    PAWL_TOKEN: _token,
    ...inherited
  } = process.env;
  const child = spawn(command, args, { cwd, env: { ...inherited, PAWL_ALLOW_UNSANDBOXED: '1', ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  child.stdin.on('error', () => undefined).end(input);
  return {
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    kill: (signal) => void child.kill(signal),
    exited: once(child, 'close').then(([code]) => ({ code: code as number | null, ...output })),
  };
}
