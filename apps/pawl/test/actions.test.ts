import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { actions } from '../src/actions.ts';
import { describeService } from '../src/cli/describe-service.ts';
import { createProgram, loadAll } from '../src/cli/program.ts';

const DASHBOARD = fileURLToPath(new URL('../../dashboard/src/', import.meta.url));

const program = createProgram();
await loadAll(program);
const { paths } = (await describeService()) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** `schedule add`, of every command that does something by itself. */
function leavesOf(command: Command, path: readonly string[] = []): readonly string[] {
  if (command.commands.length === 0) return [path.join(' ')];
  return command.commands.flatMap((each) => leavesOf(each, [...path, each.name()]));
}

/** The command that the words of an action name, with the options among them; undefined when one is missing. */
function find(words: string): Command | undefined {
  let at: Command | undefined = program;
  for (const word of words.split(' ')) {
    if (word.startsWith('--')) {
      if (at?.options.some(({ long }) => long === word) !== true) return undefined;
    } else at = at?.commands.find((each) => each.name() === word);
  }
  return at;
}

it('names each action once, as a noun and a verb', () => {
  const names = actions.map(({ action }) => action);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+\.[a-z-]+$/);
});

it('lets each be done somewhere', () => {
  const nowhere = actions.filter(
    ({ path, command, screen }) => path === null && command === null && screen === null,
  );
  expect(nowhere).toEqual([]);
});

it('has every route of the service, and no other', () => {
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const known = actions.flatMap(({ method, path }) => (method === null ? [] : [`${method} ${path}`]));
  expect(described.toSorted()).toEqual(known.toSorted());
});

it('has every command, and no other', () => {
  const named = actions.flatMap(({ command }) => (command === null ? [] : [command]));
  expect(named.filter((words) => find(words) === undefined)).toEqual([]);
  const known = new Set(named.map((words) => words.replace(/ --\S+/g, '')));
  // It serves the scripts of `pawl completion`.
  expect(leavesOf(program).filter((path) => !known.has(path))).toEqual(['complete']);
});

it('is what the dashboard has, no more and no less', () => {
  const sources = readdirSync(DASHBOARD, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.tsx'))
    .map((name) => readFileSync(join(DASHBOARD, name), 'utf8'));
  const attributes = sources.flatMap((source) => source.match(/\baction=(?:"[^"]*"|\{[^}]*\})/g) ?? []);
  const found = new Set(attributes.flatMap((each) => each.match(/(?<=["'])[a-z]+\.[a-z-]+(?=["'])/g) ?? []));
  const wanted = actions.filter(({ screen }) => screen !== null).map(({ action }) => action);
  expect([...found].toSorted()).toEqual(wanted.toSorted());
});
