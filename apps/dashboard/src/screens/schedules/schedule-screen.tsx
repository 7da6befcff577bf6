import { useState } from 'preact/hooks';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { useScheduleChanges } from '../../state/schedule-list.ts';
import { Button } from '../../ui/button.tsx';
import { JsonBlock } from '../../ui/code-block.tsx';
import { Pending } from '../../ui/empty.tsx';
import { Panel, Screen } from '../../ui/panel.tsx';
import { Spark } from '../../ui/spark.tsx';
import { Ago, Countdown } from '../../ui/time.tsx';
import { Backfill } from './backfill.tsx';
import { DeleteScheduleButton, PauseButton, RunNowButton, SkipButton } from './schedule-actions.tsx';
import { ScheduleBadges } from './schedule-badges.tsx';
import { ScheduleEditor } from './schedule-editor.tsx';
import { SlotList } from './slot-list.tsx';
import './schedules.css';

/** Ids never hold a `~`. */
const NEW = '~new';
const PREVIEWED = 10;

/** One schedule, or the form for a new one. */
export function ScheduleScreen({ id }: { id: string }) {
  if (id !== NEW) return <Existing id={id} />;
  return (
    <Screen name="New schedule">
      <ScheduleEditor />
    </Screen>
  );
}

function Existing({ id }: { id: string }) {
  const { api } = useApp();
  const [isEditing, setEditing] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const isWanted = !isDeleting;
  const resource = useResource(async (signal) => api.schedules.get(id, signal), [id], { isWanted });
  useScheduleChanges(resource.reload);
  const schedule = resource.value;
  const slots = useResource(
    async (signal) => api.schedules.next(id, PREVIEWED, signal),
    [id, schedule?.nextAt, schedule?.skipsAt, JSON.stringify(schedule?.schedule)],
    { isWanted },
  );
  if (schedule === undefined) {
    return (
      <Screen name="Schedule" title={id}>
        <Pending resource={resource} />
      </Screen>
    );
  }
  if (isEditing) {
    return (
      <Screen name={`Edit ${id}`}>
        <ScheduleEditor
          before={schedule.schedule}
          onDone={() => {
            setEditing(false);
            resource.reload();
          }}
        />
      </Screen>
    );
  }
  const { nextAt, nextNote, pause, problem, lastRuns, lastSlotAt, runs } = schedule;
  return (
    <Screen
      name={id}
      tools={
        <>
          <RunNowButton id={id} />
          <SkipButton schedule={schedule} onChange={resource.reload} />
          <PauseButton schedule={schedule} onChange={resource.reload} />
          <Button data-action="schedule.replace" onClick={() => setEditing(true)}>
            Edit
          </Button>
          <DeleteScheduleButton id={id} onDeleting={setDeleting} />
        </>
      }
    >
      <Panel
        title={schedule.inWords}
        tools={<ScheduleBadges schedule={schedule} />}
        data-action="schedule.show"
      >
        <dl class="facts">
          <dt>Next</dt>
          <dd>
            {nextAt === null ? '–' : <Countdown at={nextAt} />}
            {nextNote !== null && <span class="note"> {nextNote}</span>}
          </dd>
          {pause !== null && (
            <>
              <dt>Paused</dt>
              <dd>
                {pause.reason} (<Ago at={pause.at} />)
              </dd>
            </>
          )}
          {problem !== null && (
            <>
              <dt>Problem</dt>
              <dd>
                {problem.message} (<Ago at={problem.at} />)
              </dd>
            </>
          )}
          <dt>Last slot</dt>
          <dd>
            <Ago at={lastSlotAt} />
          </dd>
          <dt>Slots run</dt>
          <dd>{runs}</dd>
          <dt>Last runs</dt>
          <dd>
            <span class="row">
              <Spark runs={lastRuns} />
              <a href={hrefOf(`/runs?schedule=${encodeURIComponent(id)}`)}>Its runs</a>
            </span>
          </dd>
        </dl>
      </Panel>
      <div class="columns">
        <Panel title={`Next ${PREVIEWED}`} data-action="schedule.preview">
          {slots.value === undefined ? <Pending resource={slots} /> : <SlotList slots={slots.value} />}
        </Panel>
        <div class="stack">
          <Panel title="What it runs">
            <JsonBlock value={schedule.schedule.run} label="What it runs" />
          </Panel>
          <Backfill id={id} />
        </div>
      </div>
    </Screen>
  );
}
