import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@pawl/core';
import { describe, expect, it, type TestContext } from 'vitest';
import { createModuleRegistry } from './module-registry.ts';

const EXAMPLES = fileURLToPath(new URL('../../../../examples/modules', import.meta.url));

function setup({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-modules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: unknown): string => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  write('run.sh', 'exit 0');
  return { folder, write, registry: createModuleRegistry({ path: folder, logger: silentLogger }) };
}

const plain = (id: string): object => ({ id, name: id.toUpperCase(), script: 'run.sh' });

describe('the module registry', () => {
  it('reads the samples', async () => {
    const { modules, faults } = await createModuleRegistry({
      path: EXAMPLES,
      logger: silentLogger,
    }).catalogue();
    expect(faults).toEqual([]);
    expect(modules.map(({ id }) => id)).toEqual(['countdown', 'greeting', 'report']);
    expect(modules[1]).toMatchObject({
      name: 'Greeting',
      script: join(EXAMPLES, 'greeting', 'greet.py'),
      interpreter: null,
      timeoutMs: 60_000,
    });
    expect(modules[1]?.parameters[3]).toEqual({
      name: 'title',
      type: 'text',
      label: 'Title',
      required: false,
      default: 'Dr.',
      options: null,
      min: null,
      max: null,
      pattern: null,
      message: null,
      placeholder: null,
      warning: null,
      visibleWhen: { field: 'style', equals: 'formal' },
    });
  });

  it('reads a file with a list of them', async (context) => {
    const { write } = setup(context);
    const path = write('all.json', { modules: [plain('b'), plain('a')] });
    const { modules } = await createModuleRegistry({ path, logger: silentLogger }).catalogue();
    expect(modules.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('sees what has changed, come and gone', async (context) => {
    const { registry, write, folder } = setup(context);
    const file = write('a.module.json', plain('a'));
    expect((await registry.get('a')).name).toBe('A');
    write('a.module.json', { ...plain('a'), name: 'Other' });
    expect((await registry.get('a')).name).toBe('Other');
    expect(registry.nameOf('a')).toBe('Other');
    write('deep/b.module.json', { ...plain('b'), script: '../run.sh' });
    expect((await registry.get('b')).script).toBe(join(folder, 'run.sh'));
    rmSync(file);
    await expect(registry.get('a')).rejects.toMatchObject({
      code: 'MODULE_NOT_FOUND',
      message: 'There is no module "a". Known: b.',
    });
  });

  it('leaves a wrong definition out, alone, and names file, field, value and rule', async (context) => {
    const { registry, write } = setup(context);
    const file = write('wrong.module.json', {
      ...plain('w'),
      parameters: [{ name: 'p', type: 'number', min: 'five', colour: 'red' }],
    });
    write('right.module.json', plain('right'));
    const { modules, faults } = await registry.catalogue();
    expect(modules.map(({ id }) => id)).toEqual(['right']);
    expect(faults).toEqual([
      {
        file,
        field: 'parameters[0].min',
        value: '"five"',
        message: 'Expected `parameters[0].min` to be a number, got `"five"` (string).',
      },
      {
        file,
        field: 'parameters[0].colour',
        value: '"red"',
        message: '`parameters[0].colour` is not a field of a module.',
      },
    ]);
  });

  it.for<[string, unknown, string, string]>([
    ['no JSON', '{', 'file', 'Expected a JSON file'],
    ['no object', '7', 'file', 'to be a JSON object'],
    ['a path as id', { ...plain('a'), id: '../a' }, 'id', 'letters, digits'],
    ['a script that is not there', { ...plain('a'), script: 'gone.py' }, 'script', 'a file that exists'],
    ['an id twice', [plain('a'), plain('a')], 'id', 'an id that no other module has'],
    ['a wrong pattern', [{ type: 'text', pattern: '(' }], 'parameters[0].pattern', 'a regular expression'],
    [
      'options of a text',
      [{ type: 'text', options: ['a'] }],
      'parameters[0].options',
      'absent where `type` is text',
    ],
    ['a select without', [{ type: 'select' }], 'parameters[0].options', 'given where `type` is select'],
    ['a range of nothing', [{ type: 'number', min: 2, max: 1 }], 'parameters[0].min', 'at most `max` (1)'],
    [
      'a secret default',
      [{ type: 'password', default: 'x' }],
      'parameters[0].default',
      'no place for secrets',
    ],
    [
      'a default out of range',
      [{ type: 'number', max: 1, default: 2 }],
      'parameters[0].default',
      'the rules of `p`',
    ],
    [
      'a forbidden name',
      [{ name: 'constructor', type: 'text' }],
      'parameters[0].name',
      'objects have no use for',
    ],
    ['a hidden name', [{ name: '__proto__x', type: 'text' }], 'parameters[0].name', 'a letter, then'],
    [
      'two names that a script can not tell apart',
      [
        { name: 'api-key', type: 'text' },
        { name: 'apiKey', type: 'password' },
      ],
      'parameters[1].name',
      'a name that no other parameter has',
    ],
    [
      'a condition on nothing',
      [{ type: 'text', visibleWhen: { field: 'q', equals: 1 } }],
      'parameters[0].visibleWhen.field',
      'the name of another parameter',
    ],
    [
      'a condition that never holds',
      [
        { type: 'text', visibleWhen: { field: 'q', equals: 1 } },
        { name: 'q', type: 'checkbox' },
      ],
      'parameters[0].visibleWhen.equals',
      'the rules of `q`',
    ],
    [
      'conditions in a circle',
      [
        { type: 'text', visibleWhen: { field: 'q', equals: 'a' } },
        { name: 'q', type: 'text', visibleWhen: { field: 'p', equals: 'a' } },
      ],
      'parameters[0].visibleWhen.field',
      'a parameter that does not depend on this one',
    ],
  ])('refuses %s', async ([, content, field, rule], context) => {
    const { registry, write } = setup(context);
    const isParameters = Array.isArray(content) && !('id' in (content[0] as object));
    const parameters = [content].flat().map((each) => ({ name: 'p', ...(each as object) }));
    const contents = isParameters ? [{ ...plain('m'), parameters }] : [content].flat();
    for (const [index, each] of contents.entries()) write(`${index}.module.json`, each);
    const { faults } = await registry.catalogue();
    expect(faults.map((fault) => fault.field)).toContain(field);
    expect(faults.find((fault) => fault.field === field)?.message).toContain(rule);
  });

  it('shows no password that somebody wrote into a definition', async (context) => {
    const { registry, write } = setup(context);
    write('a.module.json', {
      ...plain('a'),
      parameters: [{ name: 'p', type: 'password', default: 'hunter2' }],
    });
    const { faults } = await registry.catalogue();
    expect(faults).toMatchObject([{ field: 'parameters[0].default', value: null }]);
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  it('has nothing where no path is given, and says so where a path leads nowhere', async () => {
    const none = createModuleRegistry({ path: undefined, logger: silentLogger });
    expect(await none.catalogue()).toEqual({ modules: [], faults: [] });
    const nowhere = createModuleRegistry({ path: '/nowhere/at/all', logger: silentLogger });
    expect((await nowhere.catalogue()).faults).toHaveLength(1);
  });
});
