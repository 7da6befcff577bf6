import fc, { type Arbitrary } from 'fast-check';

/** What of JSON Schema the description of the service uses. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

/** What a schema does not say about its values. */
export interface Hints {
  /** Values of fields that must not have any that the schema allows. */
  readonly fields?: Readonly<Record<string, Arbitrary<unknown>>>;
  /** Makes an object keep rules between its fields. */
  readonly adjust?: (value: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

/** Values that a schema allows. */
export function arbitraryOf(schema: JsonSchema, hints: Hints = {}): Arbitrary<unknown> {
  const of = (part: JsonSchema): Arbitrary<unknown> => arbitraryOf(part, hints);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(of));
  if (schema.allOf?.[0] !== undefined) return of(schema.allOf[0]);
  if (Array.isArray(schema.type))
    return fc.oneof(...schema.type.map((type: string) => of({ ...schema, type })));
  switch (schema.type) {
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(of(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 3, (schema.minItems ?? 0) + 3),
      });
    case 'object':
      return objectOf(schema, hints);
    case undefined:
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function textOf({ format, pattern, minLength = 0, maxLength = 40 }: JsonSchema): Arbitrary<string> {
  if (format === 'date-time') {
    const between = { min: new Date('2001-01-01'), max: new Date('2099-01-01'), noInvalidDate: true };
    return fc.date(between).map((date) => date.toISOString());
  }
  if (pattern !== undefined && /^\^\[[^\]\\]+\](?:\{|\[)/.test(pattern)) {
    // oxlint-disable-next-line no-control-regex
    return fc.stringMatching(new RegExp(pattern)).filter((text) => text.length <= maxLength);
  }
  return fc
    .string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, minLength + 40) })
    .map((text) => text.slice(0, maxLength));
}

function numberOf({ type, minimum, maximum, exclusiveMinimum }: JsonSchema): Arbitrary<number> {
  const min = minimum ?? (exclusiveMinimum === undefined ? -1e6 : exclusiveMinimum + 1);
  const max = Math.min(maximum ?? 1e6, Number.MAX_SAFE_INTEGER);
  return type === 'integer'
    ? fc.integer({ min: Math.max(min, Number.MIN_SAFE_INTEGER), max })
    : fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
}

function objectOf(schema: JsonSchema, hints: Hints): Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const { fields = {}, adjust = (value) => value } = hints;
  const known = fc
    .record(
      Object.fromEntries(
        Object.entries(properties).map(([name, part]) => [name, fields[name] ?? arbitraryOf(part, hints)]),
      ),
      { requiredKeys: [...required] },
    )
    .map((value) => adjust(value as Readonly<Record<string, unknown>>));
  if (typeof additionalProperties !== 'object') return known;
  const more = fc.dictionary(
    fc.stringMatching(/^[A-Za-z_]\w{0,9}$/),
    arbitraryOf(additionalProperties, hints),
    { maxKeys: 3 },
  );
  return fc.tuple(known, more).map(([named, others]) => ({ ...others, ...named }));
}

/** Values that are nearly what a schema allows: one thing about them was changed. */
export function nearlyOf(schema: JsonSchema, hints: Hints = {}): Arbitrary<unknown> {
  const strange = fc.oneof(
    fc.constantFrom(
      null,
      true,
      -1,
      0,
      1.5,
      1e308,
      '',
      ' ',
      '\0',
      '🧨',
      [],
      {},
      [[]],
      '../../etc/passwd',
      'x'.repeat(5_000),
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc
    .tuple(arbitraryOf(schema, hints), fc.nat(), strange, fc.constantFrom('replace', 'drop', 'add'))
    .map(([value, seed, other, change]) => changeOne(value, seed, other, change));
}

/** Goes down to some place in a value, and changes it there. */
function changeOne(value: unknown, seed: number, other: unknown, change: string): unknown {
  if (Array.isArray(value) && value.length > 0 && seed % 3 !== 0) {
    const index = seed % value.length;
    return value.map((item: unknown, at) =>
      at === index ? changeOne(item, seed >> 2, other, change) : item,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return other;
  const names = Object.keys(value);
  const name = names[seed % Math.max(1, names.length)];
  if (change === 'add' || name === undefined) return { ...value, [`unknown${seed % 10}`]: other };
  const { [name]: part, ...rest } = value as Readonly<Record<string, unknown>>;
  if (change === 'drop') return rest;
  return { ...rest, [name]: seed % 2 === 0 ? other : changeOne(part, seed >> 2, other, change) };
}
