import { isEnded, type RunSummary } from '../../api/runs.ts';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { CancelButton } from '../../ui/cancel-button.tsx';

/** What can be done with a run. */
export function RunActions({ run }: { run: RunSummary }) {
  const { api, dialogs, router, toasts } = useApp();

  async function retry(): Promise<void> {
    const next = await api.runs.retry(run.id);
    toasts.done(`Submitted ${run.title} again.`);
    router.go(`/runs/${next.id}`);
  }

  async function remove(): Promise<void> {
    const answer = await dialogs.ask({
      title: 'Delete this run?',
      text: `${run.title} (${run.id}) and all that it printed will be gone for good.`,
      confirm: 'Delete the run',
    });
    if (answer === undefined) return;
    await api.runs.delete(run.id);
    toasts.done(`Deleted ${run.title}.`);
    router.go('/runs');
  }

  if (!isEnded(run.state)) return <CancelButton run={run} />;
  return (
    <>
      <Button data-action="run.retry" kind="primary" onClick={retry}>
        Run again
      </Button>
      <Button data-action="run.remove" kind="danger" onClick={remove}>
        Delete
      </Button>
    </>
  );
}
