import type { ScheduleView } from '../../api/schedules.ts';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';

export interface ScheduleActionProps {
  readonly schedule: ScheduleView;
  /** Told that the schedule is another one now. */
  readonly onChange: () => void;
}

export function RunNowButton({ id }: { id: string }) {
  const { api, router, toasts } = useApp();

  async function run(): Promise<void> {
    const { result, runId } = await api.schedules.runNow(id);
    const text = result === 'started' ? `Started ${id}.` : `${id} will run when its run of now has ended.`;
    const show = runId === null ? undefined : { label: 'Show it', run: () => router.go(`/runs/${runId}`) };
    toasts.done(text, show);
  }

  return (
    <Button data-action="schedule.run" onClick={run} label={`Run now: ${id}`}>
      Run now
    </Button>
  );
}

/** Pauses with a reason, or resumes. */
export function PauseButton({ schedule: { id, pause, ended }, onChange }: ScheduleActionProps) {
  const { api, dialogs, toasts } = useApp();

  async function stop(): Promise<void> {
    const reason = await dialogs.ask({
      title: `Pause ${id}?`,
      text: 'It gets no more runs until somebody resumes it. A run that goes on is left alone.',
      confirm: 'Pause the schedule',
      input: { label: 'Reason, for those who wonder', value: '' },
    });
    if (reason === undefined) return;
    await api.schedules.pause(id, reason);
    onChange();
    toasts.done(`Paused ${id}.`, { label: 'Undo', run: () => void resume() });
  }

  async function resume(): Promise<void> {
    try {
      await api.schedules.resume(id);
      onChange();
      toasts.done(`Resumed ${id}.`);
    } catch (error) {
      toasts.error(error);
    }
  }

  if (ended) return null;
  return pause === null ? (
    <Button data-action="schedule.pause" onClick={stop} label={`Pause ${id}`}>
      Pause
    </Button>
  ) : (
    <Button data-action="schedule.resume" kind="primary" onClick={resume} label={`Resume ${id}`}>
      Resume
    </Button>
  );
}

/** Leaves out the next slot, or takes that back. */
export function SkipButton({ schedule: { id, nextAt, skipsAt }, onChange }: ScheduleActionProps) {
  const { api, toasts } = useApp();

  async function skip(): Promise<void> {
    await api.schedules.skipNext(id);
    onChange();
    toasts.done(`${id} skips its next run.`, { label: 'Undo', run: () => void undo() });
  }

  async function undo(): Promise<void> {
    try {
      await api.schedules.unskip(id);
      onChange();
      toasts.done(`${id} does not skip its next run.`);
    } catch (error) {
      toasts.error(error);
    }
  }

  if (skipsAt !== null) {
    return (
      <Button data-action="schedule.undo-skip" onClick={undo} label={`Undo skip: ${id}`}>
        Undo skip
      </Button>
    );
  }
  if (nextAt === null) return null;
  return (
    <Button data-action="schedule.skip-next" onClick={skip} label={`Skip next: ${id}`}>
      Skip next
    </Button>
  );
}

export interface DeleteScheduleButtonProps {
  readonly id: string;
  /** Told while it is being deleted: nobody is to ask for it then. */
  readonly onDeleting: (isDeleting: boolean) => void;
}

export function DeleteScheduleButton({ id, onDeleting }: DeleteScheduleButtonProps) {
  const { api, dialogs, router, toasts } = useApp();

  async function remove(): Promise<void> {
    const answer = await dialogs.ask({
      title: `Delete the schedule ${id}?`,
      text: `${id} will never run again. The runs it had are kept.`,
      confirm: 'Delete the schedule',
    });
    if (answer === undefined) return;
    onDeleting(true);
    try {
      await api.schedules.delete(id);
    } catch (error) {
      onDeleting(false);
      throw error;
    }
    toasts.done(`Deleted the schedule ${id}.`);
    router.go('/schedules');
  }

  return (
    <Button data-action="schedule.remove" kind="danger" onClick={remove}>
      Delete
    </Button>
  );
}
