import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

const PAWL = fileURLToPath(new URL('../../pawl/bin/pawl.js', import.meta.url));
const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
/** No name is too long for the page: what it shows of paths has one of these in it. */
const LONG_NAME = 'a_folder_that_nothing_can_break_'.repeat(4);

/** The built service in a process of its own, with the built page. */
export interface Service {
  readonly url: string;
  readonly folder: string;
  /** Its modules: a copy of `fixtures`, with a long path. */
  readonly modules: string;
  /** Asks it, and gives its JSON. @throws when it refuses */
  call<Answer = { readonly id: string }>(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Ends it by force. Its data stay, and its port is free. */
  kill(): Promise<void>;
  /** Starts it again where it was. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  dispose(): Promise<void>;
}

export async function startService(env: Readonly<Record<string, string>> = {}): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-dashboard-'));
  const modules = modulesOf(folder);
  cpSync(FIXTURES, modules, { recursive: true });
  let running = await launch(folder, '0', env);
  const { url } = running;
  const { port } = new URL(url);

  async function end(signal: NodeJS.Signals): Promise<void> {
    running.child.kill(signal);
    await running.exited;
  }

  return {
    url,
    folder,
    modules,
    async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
      const response = await fetch(url + path, {
        method,
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as Answer;
    },
    kill: async () => end('SIGKILL'),
    async start() {
      running = await launch(folder, port, env);
    },
    async dispose() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function modulesOf(folder: string): string {
  return join(folder, `modules_of_${LONG_NAME}`);
}

async function launch(folder: string, port: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [PAWL, 'serve'], {
    env: {
      ...process.env,
      PAWL_PORT: port,
      PAWL_DATA_DIR: join(folder, LONG_NAME),
      PAWL_MODULES: modulesOf(folder),
      PAWL_RATE_LIMIT_PER_MINUTE: 'off',
      // What still runs is cut soon.
      PAWL_SHUTDOWN_GRACE_MS: '200',
      // So that these tests run where no sandbox works, too.
      PAWL_ALLOW_UNSANDBOXED: '1',
      TMPDIR: folder,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const exited = once(child, 'exit');
  const url = await vi.waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`The service ended:\n${output}`);
      const [, found] = /listens on (http:\S+)/.exec(output) ?? [];
      if (found === undefined) throw new Error(`The service does not say where it listens:\n${output}`);
      return found;
    },
    { timeout: 20_000, interval: 20 },
  );
  return { child, exited, url };
}

/** Whether a process is there and no zombie (Linux). */
export function isAlive(pid: number): boolean {
  const file = `/proc/${pid}/status`;
  return existsSync(file) && !/^State:\s+[ZX]/m.test(readFileSync(file, 'utf8'));
}
