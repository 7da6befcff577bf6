import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentOf, parseDockerfile, type Stage, stepsIn } from './dockerfile.ts';
import { makeFolder, NO_PROC, until } from './processes.ts';
import { problemIn } from './start-service.ts';

// No container engine is needed: the steps of the Dockerfile are done one by one, in folders that stand for its stages.

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const DOCKER = fileURLToPath(new URL('../docker/', import.meta.url));
const [BUILD, DEPENDENCIES, SERVICE] = parseDockerfile(readFileSync(join(DOCKER, 'Dockerfile'), 'utf8'));
/** Also does what the `build` stage does, which takes a minute; otherwise the build of this tree stands for it. */
const BUILDS = process.env['PAWL_TEST_IMAGE_BUILD'] === '1';
/** The user `node` of the base image. */
const NODE_UID = 1_000;
const SET_UP_TIMEOUT_MS = 240_000;
/** As in the base image: no interpreter but that of Debian. */
const PATH = '/usr/local/bin:/usr/bin:/bin';

const run = promisify(execFile);
const asRoot = process.getuid?.() === 0;
const asNode = asRoot ? { uid: NODE_UID, gid: NODE_UID } : {};

/** What `COPY . .` brings: all but what Dockerfile.dockerignore names, in whatever folder. */
async function copyContext(to: string): Promise<void> {
  const patterns = readFileSync(join(DOCKER, 'Dockerfile.dockerignore'), 'utf8').trim().split('\n');
  const left = new Set(patterns.map((pattern) => pattern.replace('**/', '')));
  await cp(ROOT, to, { recursive: true, filter: (source) => !left.has(basename(source)) });
}

async function runSteps(stage: Stage | undefined, folder: string): Promise<void> {
  for (const command of stepsIn(stage, 'RUN')) {
    // What the lockfile names was downloaded when this tree was installed.
    const offline = { npm_config_prefer_offline: 'true' };
    await run('sh', ['-c', command], { cwd: folder, env: { ...process.env, ...offline } });
  }
}

describe.skipIf(NO_PROC)(`the image${NO_PROC}`, { timeout: 60_000 }, () => {
  const scratch = makeFolder();
  const stages = { build: ROOT, dependencies: join(scratch.path, 'dependencies') };
  const service = join(scratch.path, 'pawl');
  const data = join(scratch.path, 'data');
  afterAll(() => scratch.remove(), SET_UP_TIMEOUT_MS);

  beforeAll(async () => {
    await chmod(scratch.path, 0o755);
    await copyContext(stages.dependencies);
    await runSteps(DEPENDENCIES, stages.dependencies);
    if (BUILDS) {
      stages.build = join(scratch.path, 'build');
      await copyContext(stages.build);
      await runSteps(BUILD, stages.build);
    }
    for (const rest of stepsIn(SERVICE, 'COPY')) {
      const [, stage = '', from = '', to = ''] = /^--from=(\w+) \/pawl\/(\S+) (\S+)$/.exec(rest) ?? [];
      await cp(join(stages[stage as keyof typeof stages], from), join(service, to), {
        recursive: true,
        verbatimSymlinks: true,
        // Caches of this tree's tests, where it stands for the stage.
        filter: (source) => stage === 'dependencies' || basename(source) !== 'node_modules',
      });
    }
    const [makeData = ''] = stepsIn(SERVICE, 'RUN').filter((command) => command.startsWith('install '));
    const owned = makeData.replaceAll('=node', `=${NODE_UID}`).replace('/var/lib/pawl', data);
    if (asRoot) await run('sh', ['-c', owned]);
    else await mkdir(data, { mode: 0o700 });
  }, SET_UP_TIMEOUT_MS);

  it('has what the service needs to run, and nothing that only builds or tests need', () => {
    const modules = join(service, 'node_modules');
    expect(existsSync(join(modules, 'fastify/package.json'))).toBe(true);
    for (const name of ['typescript', 'vitest', 'oxlint', 'turbo', 'vite']) {
      expect(existsSync(join(modules, name)), name).toBe(false);
    }
  });

  it('serves as a user who may write to its data alone, in the sandbox, and ends', async ({
    onTestFinished,
  }) => {
    const [command, ...args] = JSON.parse(stepsIn(SERVICE, 'CMD')[0] ?? '') as string[];
    expect(command).toBe('node');
    const env = { PATH, ...environmentOf(SERVICE), PAWL_DATA_DIR: data, PAWL_PORT: '0' };
    const child = spawn(process.execPath, args, { cwd: service, env, stdio: 'pipe', ...asNode });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const port = await until(
      'it listens',
      () => {
        if (child.exitCode !== null) throw new Error(output);
        return /^Pawl listens on http:\/\/0\.0\.0\.0:(\d+) /m.exec(output)?.[1];
      },
      30_000,
    );

    const [check = ''] = stepsIn(SERVICE, 'HEALTHCHECK');
    const [, ...checkArgs] = JSON.parse(check.replace(/^.* CMD /, '')) as string[];
    const checked = spawn(process.execPath, checkArgs, {
      cwd: service,
      env: { ...env, PAWL_PORT: port },
      ...asNode,
    });
    const post = async (path: string, body: unknown): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await once(checked, 'exit'))[0], output).toBe(0);
    const answer = await post('/execute', { code: 'print("hello")' });
    expect(await answer.json()).toMatchObject({ output: 'hello', sandbox: 'bubblewrap' });
    expect((await fetch(`http://127.0.0.1:${port}/ui/`)).status).toBe(200);
    // Without a token nobody may do more.
    await problemIn(await post('/v1/runs', { command: { file: 'true' } }), 401);

    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(output).toMatch(/^Pawl listens on [^\n]+\n$/);
  });
});
