import { readdirSync, readFileSync } from 'node:fs';
import { until } from '../processes.ts';

/** What a service holds of its machine. */
export interface Footprint {
  /** Resident memory of the service itself. */
  readonly rssBytes: number;
  readonly descriptors: number;
  /** Processes below it. */
  readonly processes: number;
  /** Files and folders in its temporary folder. */
  readonly temporary: number;
}

export interface Watched {
  readonly pid: number;
  /** Its temporary folder. */
  readonly folder: string;
}

export function footprintOf({ pid, folder }: Watched): Footprint {
  const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    rssBytes: Number(resident) * 1_024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    processes: descendantsOf(pid).length,
    temporary: readdirSync(folder, { recursive: true }).length,
  };
}

/** The footprint once nothing of it but its memory has changed for a second. */
export async function footprintAtRest(service: Watched): Promise<Footprint> {
  let last = '';
  let since = performance.now();
  return until(
    'the service is at rest',
    () => {
      const footprint = footprintOf(service);
      const now = JSON.stringify({ ...footprint, rssBytes: 0 });
      if (now !== last) since = performance.now();
      last = now;
      return performance.now() - since > 1_000 && footprint;
    },
    30_000,
  );
}

/** Processes below one, those that are dead and not reaped included. */
export function descendantsOf(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended while we looked.
    }
  }
  const below = (pid: number): number[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(root);
}
