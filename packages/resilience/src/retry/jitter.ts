import { checkNumber, checkOneOf, type Random } from '@pawl/core';

/** Spreads a delay, so that clients that failed together do not come back together. In and out: milliseconds. */
export type Jitter = (delayMs: number, random: Random) => number;

/** `true` is ±20 %, `false` is none. */
export type JitterOption = boolean | 'proportional' | 'full' | 'equal' | Jitter;

/** gRPC's proposal A6 jitters by the same 20 %, also after the cap. */
const DEFAULT_RATIO = 0.2;

/**
 * A delay within ± `ratio` of the given one, evenly spread. As the given one is capped already, delays at the cap
 * still differ, and may exceed it by `ratio`.
 * @param ratio from 0 to 1. @default 0.2
 */
export function proportionalJitter(ratio: number = DEFAULT_RATIO): Jitter {
  checkNumber('ratio', ratio, { min: 0, max: 1 });
  return (delayMs, random) => delayMs * (1 - ratio + 2 * ratio * random());
}

/** A delay from 0 to the given one, evenly spread: the widest spread, at the price of some very early calls. */
export const fullJitter: Jitter = (delayMs, random) => delayMs * random();

/** A delay from half the given one to all of it, evenly spread. */
export const equalJitter: Jitter = (delayMs, random) => delayMs / 2 + (delayMs / 2) * random();

const NAMED = { proportional: proportionalJitter(), full: fullJitter, equal: equalJitter };

/** The function an option stands for, or undefined for none. @throws TypeError for any other value */
export function resolveJitter(option: JitterOption): Jitter | undefined {
  if (typeof option === 'function') return option;
  if (typeof option === 'boolean') return option ? NAMED.proportional : undefined;
  return NAMED[checkOneOf('jitter', option, ['proportional', 'full', 'equal'])];
}
