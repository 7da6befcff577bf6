import { useState } from 'preact/hooks';
import { useApp } from '../../state/app.ts';
import { hrefOf } from '../../state/router.ts';
import { EMPTY_DRAFT, requestOfDraft } from '../../state/run-draft.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';

/** Makes a schedule that runs a command again and again. */
export function TryPeriodic() {
  const { api, router, toasts } = useApp();
  const [id, setId] = useState('hello');
  const [seconds, setSeconds] = useState('10');
  const [command, setCommand] = useState('date');

  async function create(): Promise<void> {
    const run = requestOfDraft({ ...EMPTY_DRAFT, command });
    await api.schedules.create({ id, everyMs: Math.round(Number(seconds) * 1_000), run });
    toasts.done(`Created the schedule ${id}.`);
    router.go(`/schedules/${encodeURIComponent(id)}`);
  }

  return (
    <div class="stack">
      <div class="fields">
        <TextField label="Name" value={id} onInput={setId} required />
        <TextField label="Every so many seconds" type="number" min={1} value={seconds} onInput={setSeconds} />
        <TextField label="Command" value={command} onInput={setCommand} required isWide />
      </div>
      <div class="row">
        <Button kind="primary" data-action="schedule.create" onClick={create}>
          Create the schedule
        </Button>
        <a href={hrefOf('/schedules/~new')}>With a calendar instead</a>
      </div>
    </div>
  );
}
