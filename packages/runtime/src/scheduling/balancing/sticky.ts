import { checkFunction, type Random } from '@pawl/core';
import {
  type BalancedRun,
  type Balancer,
  type BalancerFactory,
  type Candidate,
  hasRoom,
} from './balancer.ts';
import { leastLoaded } from './least-loaded.ts';

/**
 * Runs of one key go to one worker, so that it finds what it keeps for the key. A run whose worker is full gets none,
 * and waits; a run without a key goes to the least loaded. When a worker leaves or becomes unhealthy its keys go to
 * others, and those of the others stay: consistent hashing on a ring. Source: Karger et al., "Consistent Hashing and
 * Random Trees", 1997.
 * @param keyOf the key of a run. @default its `key`
 */
export function sticky(keyOf: (run: BalancedRun) => string | undefined = (run) => run.key): BalancerFactory {
  checkFunction('keyOf', keyOf);
  return <C extends Candidate>({ random }: { readonly random: Random }): Balancer<C> => {
    const rest = leastLoaded<C>({ random });
    const owners = new Map<string, C>();
    let ring: readonly Point[] = [];

    const leave = (id: string): void => {
      ring = ring.filter((point) => point.id !== id);
    };
    return {
      set(candidate) {
        const { id, health } = candidate;
        const known = owners.get(id);
        owners.set(id, candidate);
        rest.set(candidate);
        const isIn = known !== undefined && known.health !== 'unhealthy';
        if (health === 'unhealthy') leave(id);
        else if (!isIn) ring = [...ring, ...pointsOf(id)].toSorted((a, b) => a.at - b.at);
      },
      delete(id) {
        if (owners.delete(id)) leave(id);
        rest.delete(id);
      },
      pick(run) {
        const key = run === undefined ? undefined : keyOf(run);
        if (key === undefined) return rest.pick();
        const owner = owners.get(ownerOf(ring, hash(key)) ?? '');
        return owner !== undefined && hasRoom(owner) ? owner : undefined;
      },
    };
  };
}

interface Point {
  readonly at: number;
  readonly id: string;
}

/** So many that the shares of the workers differ by a tenth or two. */
const POINTS_PER_WORKER = 64;

function pointsOf(id: string): readonly Point[] {
  return Array.from({ length: POINTS_PER_WORKER }, (_, index) => ({ at: hash(`${id}#${index}`), id }));
}

/** The first at or after the place, around the end of the ring; by bisection. */
function ownerOf(ring: readonly Point[], place: number): string | undefined {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring[middle]?.at ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return (ring[low] ?? ring[0])?.id;
}

/** FNV-1a of 32 bits, with the last step of MurmurHash3 so that similar names lie far apart. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
