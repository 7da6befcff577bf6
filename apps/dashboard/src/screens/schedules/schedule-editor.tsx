import { useState } from 'preact/hooks';
import type { Schedule } from '../../api/schedules.ts';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Panel } from '../../ui/panel.tsx';
import { RunFields } from '../../ui/run-fields.tsx';
import { LivePreview } from './live-preview.tsx';
import {
  draftOfSchedule,
  type EveryUnit,
  newDraft,
  type ScheduleDraft,
  scheduleOf,
  UNIT_MS,
} from './schedule-draft.ts';

const OVERLAPS = [
  { value: 'skip', label: 'Skip the new one' },
  { value: 'queue-one', label: 'Let one wait' },
  { value: 'queue-all', label: 'Let all wait' },
  { value: 'cancel-running', label: 'Cancel the running one' },
  { value: 'allow', label: 'Run both' },
];
const MISFIRES = [
  { value: 'once', label: 'Run once' },
  { value: 'skip', label: 'Forget them' },
  { value: 'all', label: 'Run all of them' },
];
const RHYTHMS = [
  { value: 'cron', label: 'By a calendar (cron)' },
  { value: 'every', label: 'In an interval' },
];
const UNITS = (Object.keys(UNIT_MS) as EveryUnit[]).map((unit) => ({ value: unit, label: unit }));

export interface ScheduleEditorProps {
  /** The one to edit; none makes a new one. */
  readonly before?: Schedule;
  readonly onDone?: () => void;
}

/** A form for a schedule, which shows the slots of what is typed. */
export function ScheduleEditor({ before, onDone }: ScheduleEditorProps) {
  const { api, router, toasts } = useApp();
  const [draft, setDraft] = useState<ScheduleDraft>(() =>
    before === undefined
      ? newDraft(Intl.DateTimeFormat().resolvedOptions().timeZone)
      : draftOfSchedule(before),
  );
  const set = (part: Partial<ScheduleDraft>): void => setDraft({ ...draft, ...part });

  async function save(): Promise<void> {
    const schedule = scheduleOf(draft, before);
    if (before === undefined) await api.schedules.create(schedule);
    else await api.schedules.replace(before.id, schedule);
    toasts.done(
      before === undefined ? `Created the schedule ${draft.id}.` : `Changed the schedule ${draft.id}.`,
    );
    onDone?.();
    router.go(`/schedules/${encodeURIComponent(draft.id)}`);
  }

  return (
    <form
      class="editor"
      aria-label="Schedule"
      onSubmit={(event) => {
        event.preventDefault();
        save().catch(toasts.error);
      }}
    >
      <div class="stack">
        <Panel title="When">
          <div class="fields">
            {before === undefined && (
              <TextField
                label="Name"
                value={draft.id}
                onInput={(id) => set({ id })}
                placeholder="nightly-report"
                required
              />
            )}
            <SelectField
              label="Rhythm"
              value={draft.rhythm}
              onInput={(rhythm) => set({ rhythm: rhythm as ScheduleDraft['rhythm'] })}
              options={RHYTHMS}
            />
            {draft.rhythm === 'cron' ? (
              <>
                <TextField
                  label="Cron"
                  value={draft.cron}
                  onInput={(cron) => set({ cron })}
                  hint="Minute, hour, day of month, month, day of week."
                  required
                />
                <TextField
                  label="Time zone"
                  value={draft.timeZone}
                  onInput={(timeZone) => set({ timeZone })}
                  choices={Intl.supportedValuesOf('timeZone')}
                />
              </>
            ) : (
              <>
                <TextField
                  label="Every"
                  type="number"
                  min={1}
                  value={draft.everyCount}
                  onInput={(everyCount) => set({ everyCount })}
                  required
                />
                <SelectField
                  label="Unit"
                  value={draft.everyUnit}
                  onInput={(everyUnit) => set({ everyUnit: everyUnit as EveryUnit })}
                  options={UNITS}
                />
              </>
            )}
            <SelectField
              label="While one still runs"
              value={draft.overlap}
              onInput={(overlap) => set({ overlap })}
              options={OVERLAPS}
            />
            <SelectField
              label="Slots that were missed"
              value={draft.misfire}
              onInput={(misfire) => set({ misfire })}
              options={MISFIRES}
            />
            <TextField
              label="Random delay in seconds"
              type="number"
              min={0}
              value={draft.jitterSeconds}
              onInput={(jitterSeconds) => set({ jitterSeconds })}
              placeholder="none"
            />
            <TextField
              label="Pause after failures in a row"
              type="number"
              min={1}
              value={draft.pauseAfterFailures}
              onInput={(pauseAfterFailures) => set({ pauseAfterFailures })}
              placeholder="never"
            />
          </div>
        </Panel>
        <Panel title="What">
          <RunFields draft={draft.run} onChange={(run) => set({ run })} />
        </Panel>
        <div class="row">
          <button
            type="submit"
            class="button primary"
            data-action={before === undefined ? 'schedule.create' : 'schedule.replace'}
          >
            {before === undefined ? 'Create the schedule' : 'Save'}
          </button>
          <Button kind="quiet" onClick={() => (onDone === undefined ? router.go('/schedules') : onDone())}>
            Leave it
          </Button>
        </div>
      </div>
      <LivePreview draft={draft} />
    </form>
  );
}
