import { useState } from 'preact/hooks';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Panel } from '../../ui/panel.tsx';

/** Gives slots of the past the runs they missed. Counts them first. */
export function Backfill({ id }: { id: string }) {
  const { api, dialogs, toasts } = useApp();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');

  async function backfill(): Promise<void> {
    const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    const { slots } = await api.schedules.backfill(id, { ...span, dryRun: true });
    if (slots === 0) {
      toasts.done(`${id} has no slots in that time.`);
      return;
    }
    const answer = await dialogs.ask({
      title: `Backfill ${id}?`,
      text: `${slots} slots are in that time. Those that had their run get no second one; the others run one after another.`,
      confirm: `Run up to ${slots}`,
    });
    if (answer === undefined) return;
    await api.schedules.backfill(id, { ...span, dryRun: false });
    toasts.done(`Backfilling ${id}: up to ${slots} runs.`);
  }

  return (
    <Panel title="Backfill">
      <div class="stack">
        <div class="fields">
          <TextField label="From" type="datetime-local" value={from} onInput={setFrom} />
          <TextField label="To, not included" type="datetime-local" value={to} onInput={setTo} />
        </div>
        <div class="row">
          <Button data-action="schedule.backfill" disabled={from === '' || to === ''} onClick={backfill}>
            Count and backfill…
          </Button>
        </div>
      </div>
    </Panel>
  );
}
