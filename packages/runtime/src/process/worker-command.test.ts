import { describe, expect, it } from 'vitest';
import { resolveWorkerCommand } from './worker-command.ts';

const OPTIONS = { execArgv: ['--no-warnings'], python: 'python3' };

describe('resolveWorkerCommand', () => {
  it.each(['js', 'mjs', 'cjs', 'ts', 'mts'])('starts a .%s file with this Node', async (extension) => {
    const url = new URL(`file:///some%20where/tasks.${extension}`);
    expect(await resolveWorkerCommand(url, OPTIONS)()).toEqual({
      command: process.execPath,
      args: ['--no-warnings', expect.stringMatching(/dist\/worker\/entry\.js$/)],
      env: { PAWL_WORKER_FILE: `/some where/tasks.${extension}` },
      channel: 'fd3',
      control: true,
    });
  });

  it('starts a .py file with the real Python and the SDK', async () => {
    const resolve = resolveWorkerCommand(new URL('file:///tmp/tasks.py'), OPTIONS);
    const command = await resolve();
    expect(command).toMatchObject({
      command: expect.stringMatching(/^\/.*python/),
      args: [
        '-u',
        '-c',
        expect.stringContaining('import pawl_worker'),
        expect.stringMatching(/src\/python\/$/),
        '--tasks',
        '/tmp/tasks.py',
      ],
      channel: 'fd3',
      control: false,
    });
    expect(await resolve()).toEqual(command);
  });

  it('tells that there is no such Python, each time anew', async () => {
    const resolve = resolveWorkerCommand(new URL('file:///tmp/tasks.py'), {
      ...OPTIONS,
      python: 'pawl-no-python',
    });
    for (let i = 0; i < 2; i += 1) {
      await expect(resolve()).rejects.toMatchObject({ code: 'PYTHON_NOT_FOUND', command: 'pawl-no-python' });
    }
  });

  it('takes a command as it is, which writes to stdout unless it says otherwise', async () => {
    expect(await resolveWorkerCommand({ command: 'perl', args: ['w.pl'] }, OPTIONS)()).toEqual({
      command: 'perl',
      args: ['w.pl'],
      env: {},
      channel: 'stdout',
      control: false,
    });
    const given = { command: 'w', channel: 'fd3', control: true } as const;
    expect(await resolveWorkerCommand(given, OPTIONS)()).toMatchObject({ channel: 'fd3', control: true });
  });

  it.each([
    [undefined, 'Expected `worker` to be a file URL or a command, got `undefined`.'],
    ['tasks.mjs', 'Expected `worker` to be a file URL or a command, got `"tasks.mjs"` (string).'],
    [
      new URL('http://host/tasks.mjs'),
      'Expected `worker` to be a file: URL, got `"http://host/tasks.mjs"` (string).',
    ],
    [
      new URL('file:///tasks.rb'),
      'Expected `worker` to be a .js, .mjs, .cjs, .ts, .mts or .py file, got `"file:///tasks.rb"` (string).',
    ],
    [{ comand: 'x' }, 'Unknown option `comand` of worker; did you mean `command`?'],
    [{ command: '' }, 'Expected `worker.command` to be a non-empty string, got `""` (string).'],
    [{ command: 'x', args: 'y' }, 'Expected `worker.args` to be an array of strings, got `"y"` (string).'],
    [{ command: 'x', args: [1] }, 'Expected `worker.args` to be an array of strings, got `[1]` (array).'],
    [
      { command: 'x', channel: 'fd4' },
      'Expected `worker.channel` to be one of `"fd3"`, `"stdout"`, got `"fd4"` (string).',
    ],
    [
      { command: 'x', control: 'fd4' },
      'Expected `worker.control` to be true or false, got `"fd4"` (string).',
    ],
  ])('refuses %j', (worker, message) => {
    expect(() => resolveWorkerCommand(worker, OPTIONS)).toThrow(new TypeError(message));
  });
});
