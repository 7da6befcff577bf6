/**
 * What a stateful policy counts at one moment, as plain data: the same numbers as its `stats()`, and whose they are,
 * so that those of many policies can lie in one list.
 */
export type PolicySnapshot<Kind extends string = string, Stats extends object = object> = Stats & {
  readonly kind: Kind;
  /** The `name` option. */
  readonly name: string;
};
