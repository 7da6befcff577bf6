import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './settings.ts';

/** Standard error: standard output says where the service listens, and nothing else. */
const STDERR = 2;

export interface LoggingOptions {
  readonly level: LogLevel;
  /** Whether people look at it: then it is written for them, else a JSON object a line. */
  readonly isTerminal: boolean;
}

/** The log of the service. Lines are written at once, so that the last one before an end is there. */
export async function createLogger({ level, isTerminal }: LoggingOptions): Promise<Logger> {
  return pino({ level }, isTerminal ? await prettyStream() : pino.destination({ dest: STDERR, sync: true }));
}

async function prettyStream(): Promise<DestinationStream> {
  // Loaded only where somebody sees it.
  const { build } = await import('pino-pretty');
  return build({
    destination: STDERR,
    sync: true,
    colorize: true,
    ignore: 'pid,hostname',
    translateTime: 'HH:MM:ss',
  });
}
