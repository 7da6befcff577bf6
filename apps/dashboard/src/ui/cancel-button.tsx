import type { RunSummary } from '../api/runs.ts';
import { useApp } from '../state/app.ts';
import { Button } from './button.tsx';

/** Ends a run. One that waits has done nothing yet, so nothing is asked. */
export function CancelButton({ run }: { run: RunSummary }) {
  const { api, dialogs, toasts } = useApp();

  async function cancel(): Promise<void> {
    if (run.state === 'running') {
      const answer = await dialogs.ask({
        title: 'Cancel this run?',
        text: `${run.title} is running. Its process and all that it started will be ended.`,
        confirm: 'Cancel the run',
      });
      if (answer === undefined) return;
    }
    await api.runs.cancel(run.id);
    toasts.done(`Cancelled ${run.title}.`);
  }

  return (
    <Button kind="danger" data-action="run.cancel" onClick={cancel} label={`Cancel ${run.title}`}>
      Cancel
    </Button>
  );
}
