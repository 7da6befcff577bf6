import type { ExecutionResult } from '../../api/python.ts';
import type { RunView } from '../../api/runs.ts';
import { formatAbsolute, formatDuration } from '../../format/time.ts';
import { ExecutionView } from '../../ui/execution-view.tsx';
import { CodeBlock, JsonBlock } from '../../ui/code-block.tsx';
import { Panel } from '../../ui/panel.tsx';

/** What was asked for, what came of it, and the small print. */
export function RunDetails({ run }: { run: RunView }) {
  const code = codeOf(run.input);
  return (
    <div class="stack">
      {run.result !== null && (
        <Panel title="Result">
          {isExecution(run.result) ? (
            <ExecutionView result={run.result} />
          ) : (
            <JsonBlock value={run.result} label="Result" />
          )}
        </Panel>
      )}
      <Panel title="Input">
        {code === undefined ? (
          <JsonBlock value={run.input} label="Input" />
        ) : (
          <CodeBlock text={code} label="Input" />
        )}
      </Panel>
      <Panel title="Small print">
        <dl class="facts small">
          <dt>Priority</dt>
          <dd>{run.priority}</dd>
          <dt>Time limit</dt>
          <dd>{run.timeoutMs === null ? 'none' : formatDuration(run.timeoutMs)}</dd>
          <dt>Deadline</dt>
          <dd>{run.deadlineAt === null ? 'none' : formatAbsolute(Date.parse(run.deadlineAt))}</dd>
          <dt>Exit</dt>
          <dd>{run.exitCode === null ? (run.signal ?? '–') : `code ${run.exitCode}`}</dd>
          <dt>Process</dt>
          <dd>{run.pid === null ? '–' : `${run.pid} on ${run.host}`}</dd>
          <dt>Idempotency key</dt>
          <dd>{run.idempotencyKey ?? '–'}</dd>
        </dl>
      </Panel>
    </div>
  );
}

/** The program of a Python run that is nothing but a program. */
function codeOf(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const { code, ...rest } = input as Readonly<Record<string, unknown>>;
  return typeof code === 'string' && Object.keys(rest).length === 0 ? code : undefined;
}

function isExecution(result: unknown): result is ExecutionResult {
  return typeof result === 'object' && result !== null && 'success' in result && 'testResult' in result;
}
