import type { ScheduleView } from '../../api/schedules.ts';
import { hrefOf } from '../../state/router.ts';
import { useSchedules } from '../../state/schedule-list.ts';
import { Empty, Pending } from '../../ui/empty.tsx';
import { Panel, Screen } from '../../ui/panel.tsx';
import { Spark } from '../../ui/spark.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Countdown } from '../../ui/time.tsx';
import { PauseButton, RunNowButton, SkipButton } from './schedule-actions.tsx';
import { ScheduleBadges } from './schedule-badges.tsx';
import './schedules.css';
import { ACTIONS, TableHead } from '../../ui/table-head.tsx';

const COLUMNS = ['Schedule', 'Next', 'Last', 'Last 30 runs', ACTIONS] as const;

/** What happens again and again, and when next. */
export function SchedulesScreen() {
  const schedules = useSchedules();
  const list = schedules.value;
  return (
    <Screen
      name="Schedules"
      tools={
        <a class="button primary" href={hrefOf('/schedules/~new')}>
          New schedule
        </a>
      }
    >
      <Panel title="Schedules" count={list?.length} data-action="schedule.list" isFlush>
        {list === undefined && <Pending resource={schedules} />}
        {list?.length === 0 && (
          <Empty
            title="There are no schedules yet."
            command="pawl schedule add hello --cron '*/5 * * * *' --command date"
          >
            Make one here with “New schedule”, or in a terminal:
          </Empty>
        )}
        {list !== undefined && list.length > 0 && (
          <SchedulesTable schedules={list} onChange={schedules.reload} />
        )}
      </Panel>
    </Screen>
  );
}

function SchedulesTable({
  schedules,
  onChange,
}: {
  schedules: readonly ScheduleView[];
  onChange: () => void;
}) {
  return (
    <table class="table folds">
      <TableHead columns={COLUMNS} />
      <tbody>
        {schedules.map((schedule) => {
          const { id, inWords, nextAt, nextNote, lastRuns, pause } = schedule;
          const last = lastRuns[0];
          return (
            <tr key={id} data-row data-schedule={id}>
              <td class="fill">
                <div class="run-title">
                  <span class="row">
                    <a href={hrefOf(`/schedules/${encodeURIComponent(id)}`)}>{id}</a>
                    <ScheduleBadges schedule={schedule} />
                  </span>
                  <span class="small muted cut">
                    {pause === null ? inWords : `${inWords} – ${pause.reason}`}
                  </span>
                  {nextNote !== null && <span class="note">{nextNote}</span>}
                </div>
              </td>
              <td class="nowrap" data-label="next">
                {nextAt === null ? <span class="muted">–</span> : <Countdown at={nextAt} />}
              </td>
              <td>
                {last === undefined ? (
                  <span class="muted">–</span>
                ) : (
                  <a href={hrefOf(`/runs/${last.runId}`)}>
                    <StateBadge state={last.state} />
                  </a>
                )}
              </td>
              <td>
                <Spark runs={lastRuns} />
              </td>
              <td class="tools">
                <RunNowButton id={id} />
                <SkipButton schedule={schedule} onChange={onChange} />
                <PauseButton schedule={schedule} onChange={onChange} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
