import type { IRawProperty } from 'fast-check';

/** Something that has to hold whatever comes, and how to make what comes. */
export interface Target {
  /** `framing.cuts`: its file, and which of the properties in it. */
  readonly name: string;
  readonly says: string;
  readonly property: IRawProperty<unknown>;
}
