import { isAlive } from '../processes.ts';
import type { Service } from '../start-service.ts';
import { driveAlone, type DriveOptions, driveMixed } from './drive.ts';
import { descendantsOf, type Footprint, footprintAtRest, footprintOf } from './footprint.ts';
import { createTally, type Tally } from './tally.ts';

export interface LoadOptions extends Omit<DriveOptions, 'url'> {
  readonly service: Pick<Service, 'url' | 'pid' | 'folder' | 'kill' | 'exited'>;
  /** Programs that are sent before, so that all is made that is made once. */
  readonly warmUpPrograms: number;
  /** Good programs of each kind that are then sent one by one, to compare with. */
  readonly roundsAlone: number;
  /** Told of the progress. */
  readonly onMinute?: (report: LoadReport) => void;
}

export interface LoadReport {
  /** What was sent one by one, and under load. */
  readonly alone: Tally;
  readonly loaded: Tally;
  /** At rest before the load, every minute, and at rest after it. */
  readonly footprints: readonly Footprint[];
  /** What was left behind, in words. */
  readonly leaks: readonly string[];
}

/** A service that has grown starts a helper, once: a process, with a socket in a folder, that starts others faster. */
const HELPER = { descriptors: 2, processes: 1, temporary: 2 } as const;
/** What heaps and caches may still grow by. */
const MAX_RSS_GROWTH_BYTES = 50 * 1_024 * 1_024;

/** Puts a service under load, stops it, and reports what came of it. */
export async function runLoad({
  service,
  warmUpPrograms,
  roundsAlone,
  onMinute,
  ...load
}: LoadOptions): Promise<LoadReport> {
  const { url } = service;
  const alone = createTally();
  const loaded = createTally();
  const footprints: Footprint[] = [];
  const leaks: string[] = [];
  const report: LoadReport = { alone, loaded, footprints, leaks };

  await driveMixed(createTally(), { ...load, url, maxPrograms: warmUpPrograms });
  const before = await footprintAtRest(service);
  footprints.push(before);
  await driveAlone(alone, url, roundsAlone);

  const minutes = setInterval(() => {
    footprints.push(footprintOf(service));
    onMinute?.(report);
  }, 60_000);
  await driveMixed(loaded, { ...load, url });
  clearInterval(minutes);

  const after = await footprintAtRest(service);
  footprints.push(after);
  for (const what of ['descriptors', 'processes', 'temporary'] as const) {
    if (after[what] > before[what] + HELPER[what]) {
      leaks.push(`${what}: ${before[what]} before, ${after[what]} after`);
    }
  }
  if (after.rssBytes - before.rssBytes > MAX_RSS_GROWTH_BYTES) {
    leaks.push(`memory: ${before.rssBytes} bytes before, ${after.rssBytes} after`);
  }

  const processes = descendantsOf(service.pid);
  service.kill('SIGTERM');
  const { code } = await service.exited;
  if (code !== 0) leaks.push(`the service ended with exit code ${code}`);
  const left = processes.filter(isAlive);
  if (left.length > 0) leaks.push(`processes after its end: ${left.join(', ')}`);
  return report;
}
