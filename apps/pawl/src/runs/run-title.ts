import { basename } from 'node:path';

const MAX_TITLE_CHARACTERS = 120;

/** A program and its arguments, as one would type them. */
export function commandTitle(file: string, args: readonly string[] = []): string {
  return cutTitle([basename(file), ...args.map(quoted)].join(' '));
}

/** The first line of a program that says something. */
export function programTitle(code: string): string {
  const lines = code.split('\n', 50).map((line) => line.trim());
  return cutTitle(lines.find((line) => line !== '' && !line.startsWith('#')) ?? lines[0] ?? '');
}

export function cutTitle(text: string): string {
  return text.length > MAX_TITLE_CHARACTERS ? `${text.slice(0, MAX_TITLE_CHARACTERS - 1)}…` : text;
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}
