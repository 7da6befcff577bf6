import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import rootManifest from '../../../package.json' with { type: 'json' };
import { readConfig } from '../src/config.ts';
import { SETTINGS } from '../src/settings.ts';
import { environmentOf, parseDockerfile, stepsIn } from './dockerfile.ts';
import { type Service, setup } from './start-service.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = fileURLToPath(new URL('../docker/', import.meta.url));
const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };

/** The part of YAML that the compose file keeps to: maps and lists by indentation, and plain or quoted texts. */
function parseYaml(text: string): Yaml {
  const lines = text.split('\n').filter((line) => /^ *[^ #]/.test(line));
  const indentOf = (line: string | undefined): number => (line === undefined ? -1 : line.search(/\S/));
  const scalar = (written: string): string => written.replace(/^(["'])(.*)\1$/, '$2');
  let at = 0;
  const block = (indent: number): Yaml => {
    if (lines[at]?.slice(indent).startsWith('- ') === true) {
      const list: Yaml[] = [];
      for (; indentOf(lines[at]) === indent; at += 1) list.push(scalar((lines[at] ?? '').slice(indent + 2)));
      return list;
    }
    const map: Record<string, Yaml> = {};
    while (indentOf(lines[at]) === indent) {
      const [, key = '', value = ''] = /^ *([\w.-]+):(?: (.*))?$/.exec(lines[at] ?? '') ?? [];
      expect(key, lines[at]).not.toBe('');
      at += 1;
      map[key] = value === '' ? block(indentOf(lines[at])) : scalar(value);
    }
    return map;
  };
  const document = block(0);
  expect(at).toBe(lines.length);
  return document;
}

const stages = parseDockerfile(read('Dockerfile'));
const service = stages.find(({ name }) => name === 'service');
const stepsOf = (word: string): readonly string[] => stepsIn(service, word);
const environment = environmentOf(service);

describe('the Dockerfile', () => {
  it('builds, gathers dependencies and serves in stages of their own', () => {
    expect(stages.map(({ name }) => name)).toEqual(['build', 'dependencies', 'service']);
    const [build, dependencies] = stages.map(({ steps }) =>
      steps.filter(({ word }) => word === 'RUN').map(({ rest }) => rest),
    );
    expect(build).toEqual(['npm ci', 'npm run build']);
    expect(dependencies).toEqual([`npm ci --omit=dev --workspace=${manifest.name}`]);
    expect(rootManifest.scripts).toHaveProperty('build');
  });

  it('takes a Node that the app runs on', () => {
    expect(new Set(stages.map(({ base }) => base))).toEqual(new Set(['node:22-bookworm-slim']));
    expect(manifest.engines.node).toContain('>=22');
  });

  it('copies folders that are there, from stages that are there', () => {
    for (const rest of stepsOf('COPY')) {
      const [, stage, from = '', to = ''] = /^--from=(\w+) \/pawl\/(\S+) \.\/(\S+)$/.exec(rest) ?? [];
      expect(stages.map(({ name }) => name)).toContain(stage);
      expect(from).toBe(to);
      expect(existsSync(join(ROOT, from)), from).toBe(true);
    }
    expect(stepsOf('COPY')).toHaveLength(3);
  });

  it('installs what the sandbox needs', () => {
    expect(stepsOf('RUN').join('\n')).toMatch(/apt-get install .* bubblewrap python3 /);
  });

  it('runs as a user who is not root, from the last step before it starts', () => {
    expect(stepsOf('USER')).toEqual(['node']);
    const words = (service?.steps ?? []).map(({ word }) => word);
    expect(words.indexOf('USER')).toBeGreaterThan(words.lastIndexOf('RUN'));
    expect(words.indexOf('USER')).toBeGreaterThan(words.lastIndexOf('COPY'));
  });

  it('serves on the port that it names, with settings that can be used', () => {
    expect(readConfig(environment)).toMatchObject({
      port: 3001,
      host: '0.0.0.0',
      allowUnsandboxed: false,
      publicAccess: 'execute',
    });
    expect(stepsOf('EXPOSE')).toEqual([environment['PAWL_PORT']]);
  });

  it('keeps its data in a volume that its user may write to', () => {
    const folder = environment['PAWL_DATA_DIR'];
    expect(stepsOf('VOLUME')).toEqual([folder]);
    expect(stepsOf('RUN')).toContain(`install --directory --owner=node --group=node --mode=700 ${folder}`);
  });

  it('starts by a file that is there', () => {
    const [start] = stepsOf('CMD').map((command) => JSON.parse(command) as string[]);
    expect(start).toEqual(['node', `apps/pawl/${manifest.bin.pawl.replace('./', '')}`, 'serve']);
    expect(existsSync(join(ROOT, start?.[1] ?? '-'))).toBe(true);
  });

  it('is healthy when the service can run programs, and only then', async (context) => {
    const [rest = ''] = stepsOf('HEALTHCHECK');
    const [command, ...args] = JSON.parse(rest.replace(/^.* CMD /, '')) as string[];
    expect(command).toBe('node');
    const check = async (running: Service): Promise<unknown> => {
      const child = spawn(process.execPath, args, { env: { PAWL_PORT: String(running.port) } });
      return (await once(child, 'exit'))[0];
    };
    const without = { PAWL_PYTHON: '/there/is/no/python', PAWL_ALLOW_UNSANDBOXED: '0' };
    expect(await check(await setup(context))).toBe(0);
    expect(await check(await setup(context, without))).toBe(1);
  });
});

describe('the compose file', () => {
  const { services, volumes } = parseYaml(read('docker-compose.yml')) as {
    readonly services: { readonly pawl: Readonly<Record<string, string>> };
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const { pawl } = services;
  const settings = pawl['environment'] as unknown as Readonly<Record<string, string>>;
  const MIB = 1024 * 1024;

  it('builds that Dockerfile from the root of the repository', () => {
    const build = pawl['build'] as unknown as { readonly context: string; readonly dockerfile: string };
    expect(join(FOLDER, build.context, '/')).toBe(join(ROOT, '/'));
    expect(dirname(join(ROOT, build.dockerfile))).toBe(FOLDER.replace(/\/$/, ''));
  });

  it('publishes the port on this machine alone', () => {
    const port = environment['PAWL_PORT'];
    expect(pawl['ports']).toEqual([`127.0.0.1:${port}:${port}`]);
  });

  it('has settings that there are, and that can be used', () => {
    expect(SETTINGS).toEqual(expect.arrayContaining(Object.keys(settings)));
    expect(readConfig({ ...environment, ...settings })).toMatchObject({ minSandboxTier: 1 });
  });

  it('keeps the data where a new container finds it', () => {
    expect(pawl['volumes']).toEqual([`pawl-data:${environment['PAWL_DATA_DIR']}`]);
    expect(Object.keys(volumes)).toEqual(['pawl-data']);
  });

  it('takes rights away', () => {
    expect(pawl).toMatchObject({ init: 'true', read_only: 'true', cap_drop: ['ALL'] });
    expect(pawl['security_opt']).toContain('no-new-privileges:true');
    expect(pawl).not.toHaveProperty('privileged');
    const profile = JSON.parse(read('seccomp.json')) as {
      readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[];
    };
    const denied = profile.syscalls
      .filter(({ action }) => action === 'SCMP_ACT_ERRNO')
      .flatMap(({ names }) => names);
    expect(pawl['security_opt']).toContain('seccomp=seccomp.json');
    expect(denied).toContain('bpf');
    // Those that make a sandbox.
    for (const needed of ['clone', 'unshare', 'mount', 'umount2', 'pivot_root', 'seccomp']) {
      expect(denied).not.toContain(needed);
    }
  });

  it('has room for as many programs as may run, and time for the service to end', () => {
    const { maxConcurrentRuns } = readConfig(settings);
    expect(pawl['mem_limit']).toBe('2g');
    // 256 MiB each, and as much again for the service.
    expect((maxConcurrentRuns + 1) * 256 * MIB).toBeLessThanOrEqual(2 * 1024 * MIB);
    // 16 processes each, those of the sandbox, and the threads of Node.
    expect(maxConcurrentRuns * 32 + 64).toBeLessThanOrEqual(Number(pawl['pids_limit']));
    expect(Number(pawl['cpus'])).toBeGreaterThan(0);
    // The three stages of a shutdown.
    expect(Number.parseInt(pawl['stop_grace_period'] ?? '', 10)).toBeGreaterThan(30 + 10 + 0.5);
  });
});
