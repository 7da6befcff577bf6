/** Bounds of a numeric option. */
export interface Bounds {
  /** @default -Infinity */
  readonly min?: number;
  /** @default Infinity */
  readonly max?: number;
  /** Whether `Infinity`, meaning no limit, is accepted. @default false */
  readonly infinite?: boolean;
}

const SHOWN_LENGTH = 80;

/** A value as shown in an error: JSON for the plain ones, cut at 80 characters. */
export function showValue(value: unknown): string {
  let text: string;
  if (typeof value === 'string') text = JSON.stringify(value);
  else if (typeof value === 'function') text = value.name === '' ? 'function' : `function ${value.name}`;
  else if (typeof value === 'object' && value !== null) {
    try {
      text = JSON.stringify(value) ?? Object.prototype.toString.call(value);
    } catch {
      text = Object.prototype.toString.call(value);
    }
  } else text = String(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

/** The one wording of a refused option: ``Expected `maxWorkers` to be an integer ≥ 1, got `0` (number).`` */
export function expectedMessage(name: string, rule: string, value: unknown): string {
  const kind =
    value === null || value === undefined ? '' : ` (${Array.isArray(value) ? 'array' : typeof value})`;
  return `Expected \`${name}\` to be ${rule}, got \`${showValue(value)}\`${kind}.`;
}

function boundsRule(noun: string, { min, max, infinite = false }: Bounds): string {
  let rule = noun;
  if (min !== undefined && max !== undefined) rule += ` from ${min} to ${max}`;
  else if (min !== undefined) rule += ` ≥ ${min}`;
  else if (max !== undefined) rule += ` ≤ ${max}`;
  return infinite ? `${rule}, or Infinity` : rule;
}

function checkBounds(name: string, value: unknown, noun: string, bounds: Bounds, integer: boolean): number {
  const rule = boundsRule(noun, bounds);
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new TypeError(expectedMessage(name, rule, value));
  }
  if (value === Infinity && bounds.infinite === true) return value;
  const whole = integer ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!whole || value < (bounds.min ?? -Infinity) || value > (bounds.max ?? Infinity)) {
    throw new RangeError(expectedMessage(name, rule, value));
  }
  return value;
}

/** @throws TypeError when it is no number, RangeError when it is fractional or out of bounds */
export function checkInteger(name: string, value: unknown, bounds: Bounds = {}): number {
  return checkBounds(name, value, 'an integer', bounds, true);
}

/** @throws TypeError when it is no number, RangeError when it is not finite or out of bounds */
export function checkNumber(name: string, value: unknown, bounds: Bounds = {}): number {
  return checkBounds(name, value, 'a number', bounds, false);
}

/** A duration in milliseconds, by default ≥ 0 and finite; fractions are fine. */
export function checkDurationMs(name: string, value: unknown, bounds: Bounds = {}): number {
  return checkBounds(name, value, 'milliseconds', { min: 0, ...bounds }, false);
}

/** @throws TypeError when it is no string, or empty */
export function checkString(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(expectedMessage(name, 'a non-empty string', value));
  }
  return value;
}

/** @throws TypeError when it is neither true nor false */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(expectedMessage(name, 'true or false', value));
  return value;
}

/** @throws TypeError when it can't be called */
export function checkFunction<Fn>(name: string, value: Fn): Fn {
  if (typeof value !== 'function') throw new TypeError(expectedMessage(name, 'a function', value));
  return value;
}

/** @throws TypeError when it is none of `choices` */
export function checkOneOf<const Choice>(name: string, value: unknown, choices: readonly Choice[]): Choice {
  if (!(choices as readonly unknown[]).includes(value)) {
    const list = choices.map((choice) => `\`${showValue(choice)}\``).join(', ');
    throw new TypeError(expectedMessage(name, `one of ${list}`, value));
  }
  return value as Choice;
}

/** @throws TypeError when it is no AbortSignal */
export function checkSignal(name: string, value: unknown): AbortSignal {
  if (!(value instanceof AbortSignal)) throw new TypeError(expectedMessage(name, 'an AbortSignal', value));
  return value;
}

/** @throws RangeError when `value` is not below `limit`: ``Expected `graceMs` (9000) to be below `leaseMs` (5000).`` */
export function checkBelow(name: string, value: number, limitName: string, limit: number): void {
  if (value < limit) return;
  throw new RangeError(`Expected \`${name}\` (${value}) to be below \`${limitName}\` (${limit}).`);
}

/** @throws RangeError when `value` is above `limit`: ``Expected `minWorkers` (9) to be at most `maxWorkers` (4).`` */
export function checkAtMost(name: string, value: number, limitName: string, limit: number): void {
  if (value <= limit) return;
  throw new RangeError(`Expected \`${name}\` (${value}) to be at most \`${limitName}\` (${limit}).`);
}

/**
 * Refuses options nobody reads, which are misspelt more often than not.
 * @param what the function that takes the options, for the message
 * @throws TypeError naming the key, with the nearest known one: ``Unknown option `maxWorker` of createPool; did you mean `maxWorkers`?``
 */
export function checkKnownKeys(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(expectedMessage(`options of ${what}`, 'an object', options));
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const nearest = nearestTo(key, known);
    const hint = nearest === undefined ? `Known: ${known.join(', ')}.` : `did you mean \`${nearest}\`?`;
    throw new TypeError(`Unknown option \`${key}\` of ${what}; ${hint}`);
  }
}

/** What the caller itself said: not what somebody put on `Object.prototype`. */
export function ownOptions<Options extends object>(options: Options): Options {
  return Object.assign(Object.create(null) as Options, options);
}

/** The candidate at most a third of the word away in edits, or none. */
function nearestTo(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance: insertions, deletions and substitutions, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
