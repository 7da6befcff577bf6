import { useEffect, useState } from 'preact/hooks';
import { isEnded, type RunView } from '../../api/runs.ts';
import { attemptText } from '../../format/attempts.ts';
import { useApp } from '../../state/app.ts';
import { type Resource, useResource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Pending } from '../../ui/empty.tsx';
import { Screen } from '../../ui/panel.tsx';
import { Progress } from '../../ui/progress.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Attempts } from './attempts.tsx';
import { Console } from './console.tsx';
import { RunActions } from './run-actions.tsx';
import { RunDetails } from './run-details.tsx';
import { Timeline } from './timeline.tsx';
import './run.css';

/** One run: what it is, how far it is, what it prints, and what came of it. */
export function RunScreen({ id }: { id: string }) {
  const resource = useRun(id);
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const run = resource.value;
  if (run === undefined) {
    return (
      <Screen name="Run">
        <Pending resource={resource} />
      </Screen>
    );
  }
  const attempt = run.attempts.find(({ fence }) => fence === chosen) ?? run.attempts.at(-1);
  const why = run.cancelReason ?? run.error?.message;
  return (
    <Screen name={run.title} title={run.title} tools={<RunActions run={run} />}>
      <div class="run-header" data-action="run.show">
        <span role="status">
          <StateBadge state={run.state} />
        </span>
        <Progress value={isEnded(run.state) ? null : run.progress} />
        <a href={hrefOf(`/runs?task=${encodeURIComponent(run.task)}`)}>{run.task}</a>
        {run.key !== null && <a href={hrefOf(`/runs?key=${encodeURIComponent(run.key)}`)}>key {run.key}</a>}
        {run.schedule !== null && (
          <a href={hrefOf(`/schedules/${encodeURIComponent(run.schedule)}`)}>schedule {run.schedule}</a>
        )}
        {attemptText(run) !== '' && <span class="muted">attempt {attemptText(run)}</span>}
        <span class="row muted">
          <code>{run.id}</code>
          <CopyButton text={run.id} what="the id" />
        </span>
      </div>
      {why !== undefined && run.state !== 'succeeded' && <p class={`why state-${run.state}`}>{why}</p>}
      <Timeline run={run} />
      {attempt !== undefined && (
        <Console key={attempt.fence} runId={run.id} attempt={attempt.number} fence={attempt.fence} />
      )}
      <div class="columns">
        <Attempts attempts={run.attempts} shown={attempt?.fence} onShow={setChosen} />
        <RunDetails run={run} />
      </div>
    </Screen>
  );
}

/** A run that follows what happens to it. */
function useRun(id: string): Resource<RunView> {
  const { api, live } = useApp();
  const resource = useResource(
    async (signal) => {
      let hasChanged = false;
      const end = live.onRuns((changed) => {
        hasChanged ||= changed.some((run) => run.id === id);
      });
      const run = await api.runs.get(id, signal).finally(end);
      // What happened while it was read may not be in it.
      return hasChanged && !isEnded(run.state) ? api.runs.get(id, signal) : run;
    },
    [id],
  );
  const { patch, reload } = resource;
  useEffect(
    () =>
      live.onRuns((changed) => {
        const summary = changed.find((run) => run.id === id);
        if (summary === undefined) return;
        patch((run) => {
          // Attempts and the result are not in the event.
          if (run.state !== summary.state || run.attempt !== summary.attempt) reload();
          return { ...run, ...summary };
        });
      }),
    [id, live, patch, reload],
  );
  return resource;
}
