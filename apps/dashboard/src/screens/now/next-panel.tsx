import type { ScheduleView } from '../../api/schedules.ts';
import type { Resource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { Empty, Pending } from '../../ui/empty.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Countdown } from '../../ui/time.tsx';

const SHOWN = 6;

/** Which schedules are due next, counting down. */
export function NextPanel({ schedules }: { schedules: Resource<readonly ScheduleView[]> }) {
  const due = schedules.value
    ?.filter((schedule): schedule is ScheduleView & { nextAt: string } => schedule.nextAt !== null)
    .toSorted((a, b) => a.nextAt.localeCompare(b.nextAt));
  return (
    <Panel title="Next" count={due?.length} tools={<a href={hrefOf('/schedules')}>All schedules</a>} isFlush>
      {due === undefined && <Pending resource={schedules} />}
      {due?.length === 0 && (
        <Empty
          title="No schedule is due."
          command="pawl schedule add hello --cron '*/5 * * * *' --command date"
        >
          Let something happen again and again:
        </Empty>
      )}
      {due !== undefined && due.length > 0 && (
        <ul class="list">
          {due.slice(0, SHOWN).map(({ id, inWords, nextAt, nextNote }) => (
            <li key={id} data-row>
              <div class="run-title">
                <a class="cut" href={hrefOf(`/schedules/${encodeURIComponent(id)}`)}>
                  {id}
                </a>
                <span class="small muted cut">{nextNote ?? inWords}</span>
              </div>
              <Countdown at={nextAt} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
