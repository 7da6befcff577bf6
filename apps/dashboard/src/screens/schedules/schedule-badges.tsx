import type { ScheduleView } from '../../api/schedules.ts';

/** What is special about a schedule at the moment. */
export function ScheduleBadges({ schedule }: { schedule: ScheduleView }) {
  const { pause, ended, skipsAt, running, waiting, failuresInARow, problem } = schedule;
  return (
    <span class="badges">
      {pause !== null && (
        <span class={`badge ${pause.cause === 'failures' ? 'bad' : 'warn'}`} title={pause.reason}>
          paused{pause.cause === 'failures' ? ' after failures' : ''}
        </span>
      )}
      {ended && <span class="badge calm">ended</span>}
      {skipsAt !== null && <span class="badge warn">skips the next one</span>}
      {running > 0 && <span class="badge calm">{running} running</span>}
      {waiting > 0 && <span class="badge calm">{waiting} waiting</span>}
      {failuresInARow > 0 && <span class="badge bad">{failuresInARow} failed in a row</span>}
      {problem !== null && (
        <span class="badge bad" title={problem.message}>
          problem
        </span>
      )}
    </span>
  );
}
