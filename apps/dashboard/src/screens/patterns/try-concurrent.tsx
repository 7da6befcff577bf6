import { useEffect, useState } from 'preact/hooks';
import type { RunSummary } from '../../api/runs.ts';
import { useApp } from '../../state/app.ts';
import { hrefOf } from '../../state/router.ts';
import { EMPTY_DRAFT, requestOfDraft } from '../../state/run-draft.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';

/** Submits many runs in one request, and follows each of them. */
export function TryConcurrent() {
  const { api, live, toasts } = useApp();
  const [command, setCommand] = useState('sleep 1');
  const [count, setCount] = useState('12');
  const [runs, setRuns] = useState<readonly RunSummary[]>([]);

  useEffect(
    () =>
      live.onRuns((changed) => {
        const byId = new Map(changed.map((run) => [run.id, run]));
        setRuns((known) => known.map((run) => byId.get(run.id) ?? run));
      }),
    [live],
  );

  async function submit(): Promise<void> {
    const request = requestOfDraft({ ...EMPTY_DRAFT, command });
    const results = await api.runs.submitAll(Array.from({ length: Number(count) }, () => request));
    const refused = results.find(({ error }) => error !== undefined && error !== null);
    if (refused?.error) toasts.error(new Error(refused.error.detail));
    setRuns(results.flatMap(({ run }) => (run === undefined || run === null ? [] : [run])));
  }

  return (
    <div class="stack">
      <div class="fields">
        <TextField label="Command" value={command} onInput={setCommand} required isWide />
        <TextField label="How many" type="number" min={1} max={100} value={count} onInput={setCount} />
      </div>
      <div class="row">
        <Button kind="primary" data-action="run.submit-batch" onClick={submit}>
          Submit them all
        </Button>
      </div>
      <ol class="tried" aria-label="Submitted runs">
        {runs.map((run) => (
          <li key={run.id} data-tried={run.id}>
            <a class="cut" href={hrefOf(`/runs/${run.id}`)}>
              {run.title}
            </a>
            <StateBadge state={run.state} />
          </li>
        ))}
      </ol>
    </div>
  );
}
