/** Estimates how often each key was seen of late, in a few bytes per entry. */
export interface FrequencySketch {
  record(key: string): void;
  /** How often `key` was recorded of late, 0 to 15; never too low before the last halving. */
  estimate(key: string): number;
}

const ROWS = 4;
const MAX_COUNT = 15;
/** In each row. */
const COUNTERS_PER_ENTRY = 8;
/** Counters are halved after this many records per entry, so that old fame fades. */
const RECORDS_PER_ENTRY = 10;
/** Odd multipliers that make four hashes of one. */
const SEEDS = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f] as const;

/**
 * A count-min sketch with halving, after Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission
 * Policy" (2017).
 * @param entries how many keys it has to tell apart at a time
 */
export function createFrequencySketch(entries: number): FrequencySketch {
  const width = 2 ** Math.ceil(Math.log2(Math.max(16, Math.min(entries, 2 ** 20) * COUNTERS_PER_ENTRY)));
  const counters = new Uint8Array(ROWS * width);
  const halveAfter = Math.max(16, entries * RECORDS_PER_ENTRY);
  let records = 0;

  /** Where the key's counter of that row is. */
  const slot = (hash: number, row: number): number => {
    let mixed = Math.imul(hash ^ (hash >>> 15), SEEDS[row] ?? 1);
    mixed ^= mixed >>> 13;
    return row * width + ((mixed >>> 0) & (width - 1));
  };

  const least = (hash: number): number => {
    let count = MAX_COUNT;
    for (let row = 0; row < ROWS; row += 1) count = Math.min(count, counters[slot(hash, row)] ?? 0);
    return count;
  };

  return {
    record(key) {
      const hash = hashOf(key);
      const count = least(hash);
      // Only the lowest counters rise ("conservative update"): the higher ones belong to other keys too.
      if (count < MAX_COUNT) {
        for (let row = 0; row < ROWS; row += 1) {
          const at = slot(hash, row);
          if (counters[at] === count) counters[at] = count + 1;
        }
      }
      records += 1;
      if (records < halveAfter) return;
      records = 0;
      for (let at = 0; at < counters.length; at += 1) counters[at] = (counters[at] ?? 0) >>> 1;
    },
    estimate: (key) => least(hashOf(key)),
  };
}

/** FNV-1a over UTF-16 units. Only estimates hang on it, so collisions cost a little accuracy and nothing else. */
function hashOf(key: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x0100_0193);
  return hash;
}
