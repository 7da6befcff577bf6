import { checkNumber } from './option-checks.ts';

/** A source of numbers in [0, 1), such as `Math.random`. */
export type Random = () => number;

/** The random source of this machine. Not for secrets. */
export const systemRandom: Random = () => Math.random();

/**
 * A reproducible random source: the same seed gives the same numbers on every machine and Node version.
 *
 * The generator is xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018),
 * its state filled from the seed by SplitMix32. Each number carries 53 random bits.
 *
 * @param seed any finite number; all its 64 bits count, so fractions and seeds beyond 32 bits are told apart
 */
export function seededRandom(seed: number): Random {
  checkNumber('seed', seed);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, seed);
  let mix = bits.getUint32(4) ^ Math.imul(bits.getUint32(0), 0x9e37_79b9);
  const split = (): number => {
    mix = (mix + 0x9e37_79b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0_aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
    return z ^ (z >>> 15);
  };
  let [a, b, c, d] = [split(), split(), split(), split()];
  const next32 = (): number => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotateLeft(d, 11);
    return scrambled >>> 0;
  };
  return () => ((next32() >>> 5) * 0x400_0000 + (next32() >>> 6)) / 2 ** 53;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
