import { exitCodes } from './exit-codes.ts';

/**
 * Watches something until it ends or somebody presses Ctrl-C. That ends the watching, not what is watched.
 * @param watch gets a signal that aborts with Ctrl-C
 * @returns what `watch` gives, or the exit code of an interruption
 */
export async function untilInterrupted(
  watch: (signal: AbortSignal) => Promise<number>,
  onInterrupt: () => void,
): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    // The second one finds nothing more to end, and must not kill in the middle of a line.
    if (interrupted.signal.aborted) return;
    interrupted.abort();
    onInterrupt();
  };
  process.on('SIGINT', interrupt);
  try {
    const exitCode = await watch(interrupted.signal);
    return interrupted.signal.aborted ? exitCodes.interrupted : exitCode;
  } catch (error) {
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    throw error;
  } finally {
    // After the first one the handler stays: a second one, while the command ends, is no other end.
    if (!interrupted.signal.aborted) process.off('SIGINT', interrupt);
  }
}
