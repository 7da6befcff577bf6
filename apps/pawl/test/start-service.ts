import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestResult } from '@pawl/python';
import { expect, type TestContext } from 'vitest';
import { isAlive, makeFolder, PAWL, processesWith, until } from './processes.ts';

/** What `POST /execute` answers for a program. */
export interface Answer {
  readonly success: boolean;
  readonly output: string;
  readonly errors: string | null;
  readonly executionTime: number;
  readonly testResult: TestResult | null;
  readonly status: string;
}

/** The body of an error answer. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** The built service in a process of its own. */
export interface Service {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Its `TMPDIR`, where the folders of its programs are; also marks its Python processes. */
  readonly folder: string;
  /** Its `PAWL_DATA_DIR`. */
  readonly dataDir: string;
  stdout(): string;
  /** What it logged, but for what is about this machine: which sandbox it has, and how busy it is. */
  stderr(): string;
  /** Runs a program. @throws when the answer is not 200 */
  run(code: string): Promise<Answer>;
  /** Sends a request and reads its JSON answer. Absolute addresses go elsewhere. */
  request<T = Record<string, unknown>>(
    method: string,
    path: string,
    options?: RequestOptions,
  ): Promise<Answered<T>>;
  /** Sends any body to /execute, objects as JSON. */
  post(body: unknown, headers?: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Ends it and removes its folders, but not a data folder that it was given. */
  dispose(): Promise<void>;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Answered<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

const OF_THE_MACHINE = /^.*(?:Programs run (?:in the|without a) sandbox|use is [\d.]+ %, above).*\n/gm;

/** Starts the service on a free port and waits for the line that says where it listens. */
export async function startService(env: Readonly<Record<string, string>> = {}): Promise<Service> {
  const folder = makeFolder();
  const data = makeFolder();
  const dataDir = env['PAWL_DATA_DIR'] ?? data.path;
  const child = spawn(process.execPath, [PAWL, 'serve'], {
    env: {
      ...process.env,
      PAWL_PORT: '0',
      PAWL_RATE_LIMIT_PER_MINUTE: 'off',
      // So that these tests run where no sandbox works, too.
      PAWL_ALLOW_UNSANDBOXED: '1',
      TMPDIR: folder.path,
      PAWL_DATA_DIR: data.path,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  let ended = false;
  void exited.then(() => (ended = true));

  const dispose = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    if (process.platform === 'linux') {
      for (const line of processesWith(folder.path)) {
        const pid = Number(line.split(' ')[0]);
        if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      }
    }
    folder.remove();
    data.remove();
  };
  let url: string;
  try {
    const listens = (): string | undefined => {
      if (ended) throw new Error(`The service ended:\n${output.stdout}${output.stderr}`);
      return /^Pawl listens on (http:\S+) \(Ctrl-C stops it\)\n/.exec(output.stdout)?.[1];
    };
    // Many start at once on a small machine.
    url = await until('the service says where it listens', listens, 30_000);
  } catch (error) {
    await dispose();
    throw error;
  }

  const post: Service['post'] = (body, headers = {}, signal) =>
    fetch(`${url}/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    folder: folder.path,
    dataDir,
    async request(method: string, path: string, { body, headers, signal }: RequestOptions = {}) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
        redirect: 'manual',
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: (text === '' ? null : JSON.parse(text)) as never,
      };
    },
    stdout: () => output.stdout,
    stderr: () => output.stderr.replaceAll(OF_THE_MACHINE, ''),
    post,
    async run(code) {
      const response = await post({ code });
      if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
      return (await response.json()) as Answer;
    },
    kill: (signal) => void child.kill(signal),
    exited,
    dispose,
  };
}

/** Reads a problem, after checking that it is one of that status. */
export async function problemIn(response: Response, status: number): Promise<ProblemBody> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = (await response.json()) as ProblemBody;
  expect(problem).toMatchObject({ type: 'about:blank', status, title: expect.any(String) });
  return problem;
}

/** A service of this test's own, ended with it. */
export async function setup(
  { onTestFinished }: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const service = await startService(env);
  onTestFinished(() => service.dispose());
  return service;
}
