import { useState } from 'preact/hooks';
import type { PatternName } from '../../api/advisor.ts';
import type { RunView } from '../../api/runs.ts';
import { useApp } from '../../state/app.ts';
import { hrefOf } from '../../state/router.ts';
import { EMPTY_DRAFT, requestOfDraft, type RunDraft } from '../../state/run-draft.ts';
import { Button } from '../../ui/button.tsx';
import { JsonBlock } from '../../ui/code-block.tsx';
import { RunFields } from '../../ui/run-fields.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';

type RunPattern = Extract<PatternName, 'simple' | 'long-running' | 'fire-and-forget'>;

const COUNTING = `import time

for number in range(1, 6):
    print("step", number, flush=True)
    time.sleep(0.4)
`;

const SAMPLES: Readonly<Record<RunPattern, RunDraft>> = {
  simple: { ...EMPTY_DRAFT, command: 'uname -a' },
  'long-running': { ...EMPTY_DRAFT, kind: 'python', code: COUNTING },
  'fire-and-forget': { ...EMPTY_DRAFT, command: 'sleep 5' },
};
const BUTTONS: Readonly<Record<RunPattern, string>> = {
  simple: 'Run and wait for the end',
  'long-running': 'Run and watch',
  'fire-and-forget': 'Submit',
};
/** How long the page waits for the end of a simple run. */
const WAIT_SECONDS = 30;

/** Submits one run, and then waits for it, watches it, or lets it be. */
export function TryRun({ pattern }: { pattern: RunPattern }) {
  const { api, router } = useApp();
  const [draft, setDraft] = useState(SAMPLES[pattern]);
  const [run, setRun] = useState<RunView | undefined>(undefined);

  async function submit(): Promise<void> {
    setRun(undefined);
    const wait = pattern === 'simple' ? WAIT_SECONDS : undefined;
    const submitted = await api.runs.submit(requestOfDraft(draft), wait);
    if (pattern === 'long-running') router.go(`/runs/${submitted.id}`);
    else setRun(submitted);
  }

  return (
    <div class="stack">
      <RunFields draft={draft} onChange={setDraft} />
      <div class="row">
        <Button kind="primary" data-action="run.submit" onClick={submit}>
          {BUTTONS[pattern]}
        </Button>
      </div>
      <div class="stack" aria-live="polite">
        {run !== undefined && (
          <p class="row" data-tried={run.id}>
            <StateBadge state={run.state} />
            <a href={hrefOf(`/runs/${run.id}`)}>{run.id}</a>
          </p>
        )}
        {run !== undefined && run.result !== null && <JsonBlock label="Result" value={run.result} />}
      </div>
    </div>
  );
}
