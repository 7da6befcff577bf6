import { type Command, Option } from 'commander';
import { parseCount, parseDuration, parseInstant } from './quantities.ts';

/** What of a schedule is given on the command line. */
export interface ScheduleOptions {
  readonly cron?: string;
  readonly every?: number;
  readonly pace?: string;
  readonly timeZone?: string;
  readonly dstGap?: string;
  readonly dstOverlap?: string;
  readonly overlap?: string;
  readonly misfire?: string;
  readonly jitter?: number;
  readonly startAt?: string;
  readonly endAt?: string;
  readonly maxRuns?: number;
  readonly pauseAfterFailures?: number;
}

/** Adds the options that say when. */
export function scheduleOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--cron <fields>', 'five cron fields, or six with seconds, such as "0 7 * * 1-5"').conflicts(
        'every',
      ),
    )
    .option('--every <duration>', 'a distance such as 15m', parseDuration)
    .addOption(
      new Option('--pace <pace>', 'with --every: on a fixed grid, or counted from each end').choices([
        'fixed-rate',
        'fixed-delay',
      ]),
    )
    .option('--time-zone <zone>', 'of --cron, such as Europe/Berlin; by default UTC')
    .addOption(
      new Option('--dst-gap <policy>', 'a local time that does not exist').choices([
        'next-valid',
        'shift',
        'skip',
      ]),
    )
    .addOption(
      new Option('--dst-overlap <policy>', 'a local time that comes twice').choices([
        'first',
        'second',
        'both',
      ]),
    )
    .option('--jitter <duration>', 'the longest random delay', parseDuration)
    .option('--start-at <instant>', 'no run before then', parseInstant)
    .option('--end-at <instant>', 'no run from then on', parseInstant)
    .option('--max-runs <count>', 'end after so many', parseCount(1));
}

/** Adds the options that say what becomes of a run that can't start as it should. */
export function policyOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--overlap <policy>',
        'what becomes of a run that is due while the one before goes on',
      ).choices(['skip', 'queue-one', 'queue-all', 'cancel-running', 'allow']),
    )
    .addOption(
      new Option('--misfire <policy>', 'what becomes of runs nobody was there for').choices([
        'skip',
        'once',
        'all',
      ]),
    )
    .option('--pause-after-failures <count>', 'pause after so many failures in a row', parseCount(1));
}

/** The timing as the service takes it. */
export function readSchedule(options: ScheduleOptions): Readonly<Record<string, unknown>> {
  const { cron, every, pace, timeZone, dstGap, dstOverlap, overlap, misfire, jitter, startAt, endAt } =
    options;
  const { maxRuns, pauseAfterFailures } = options;
  const given = {
    cron,
    everyMs: every,
    pace,
    timeZone,
    dstGap,
    dstOverlap,
    overlap,
    misfire,
    jitterMs: jitter,
    startAt,
    endAt,
    maxRuns,
    pauseAfterFailures,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
