import type { OutputStream } from './output-entry.ts';

/** The most severe first. */
export const OUTPUT_LEVELS = ['CRITICAL', 'ERROR', 'WARNING', 'DEBUG', 'INFO'] as const;

export type OutputLevel = (typeof OUTPUT_LEVELS)[number];

const LEVELS: ReadonlyMap<string, OutputLevel> = new Map([
  ['critical', 'CRITICAL'],
  ['fatal', 'CRITICAL'],
  ['error', 'ERROR'],
  ['exception', 'ERROR'],
  ['warning', 'WARNING'],
  ['warn', 'WARNING'],
  ['debug', 'DEBUG'],
  ['info', 'INFO'],
]);
const ALTERNATIVES = [...LEVELS.keys()].join('|');
/** "no error" and "0 error(s)" report none. */
const NOT_DENIED = String.raw`(?<!\b(?:0|no|without)[ ])`;
const ANY_CASE = new RegExp(String.raw`${NOT_DENIED}\b(?:${ALTERNATIVES})\b`, 'gi');
const UPPER_CASE = new RegExp(String.raw`\b(?:${ALTERNATIVES.toUpperCase()})\b`, 'g');

/**
 * Whether any level word may be in a text. Looks for less than the whole words, because a search for five letters
 * anywhere is several times as fast: it decides for most text that there is nothing to look for.
 */
const HINT = /fatal|error|warn|debug|info|critic|except/i;

export function mayNameLevel(text: string): boolean {
  return HINT.test(text);
}

/** What a line is that names no level: what a program prints to stderr is rarely good news. */
export function defaultLevel(stream: OutputStream): OutputLevel {
  return stream === 'stderr' ? 'ERROR' : 'INFO';
}

/**
 * The level that a line names as a whole word: "0 errors" names none. Words in capitals, as loggers write them, decide
 * before others, and the most severe of them counts.
 */
export function levelOf(line: string, stream: OutputStream): OutputLevel {
  return mostSevere(line.match(UPPER_CASE)) ?? mostSevere(line.match(ANY_CASE)) ?? defaultLevel(stream);
}

function mostSevere(words: readonly string[] | null): OutputLevel | undefined {
  const levels = words?.map((word) => LEVELS.get(word.toLowerCase()));
  if (levels === undefined || levels.length === 1) return levels?.[0];
  return OUTPUT_LEVELS.find((level) => levels.includes(level));
}
