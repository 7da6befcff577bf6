import type { ExecutionResult, TestCase } from '../api/python.ts';
import { formatBytes } from '../format/bytes.ts';
import { formatDuration } from '../format/time.ts';
import { CodeBlock } from './code-block.tsx';
import { StateBadge } from './state-badge.tsx';
import './execution-view.css';

const ENDS: Readonly<Record<string, string>> = {
  ok: 'It ran to its end.',
  failed: 'It ended with an error.',
  timeout: 'It took too long and was ended.',
  'cpu-limit': 'It computed for too long and was ended.',
  'memory-limit': 'It needed too much memory.',
  'process-limit': 'It started too many processes.',
  'open-file-limit': 'It opened too many files.',
  'file-size-limit': 'It wrote too large a file.',
  'output-limit': 'It printed too much.',
  killed: 'It was killed.',
};

/** What became of a Python program: verdict, error in friendly words, test cases, output. */
export function ExecutionView({ result }: { result: ExecutionResult }) {
  const { success, status, error, errors, output, testResult, usage, truncated } = result;
  const cases = testResult?.testCases ?? [];
  const passed = cases.filter((test) => test.passed).length;
  return (
    <div class="execution">
      <p class="verdict-line">
        <strong>
          <StateBadge state={success ? 'succeeded' : 'failed'} />
        </strong>
        <span>
          {testResult === null ? (ENDS[status] ?? status) : `${passed} of ${cases.length} tests passed.`}
        </span>
        <span class="small muted">
          {formatDuration(usage.wallMs)}
          {usage.cpuMs !== null && `, ${formatDuration(usage.cpuMs)} of it computing`}
          {usage.maxRssBytes !== null && `, ${formatBytes(usage.maxRssBytes)}`}
        </span>
      </p>
      {error !== null && (
        <div class="friendly">
          <strong>
            {error.type}
            {error.line !== null && ` in line ${error.line}`}
          </strong>
          <span>{error.message}</span>
          {error.hint !== null && <span class="muted">{error.hint}</span>}
        </div>
      )}
      {cases.length > 0 && (
        <ul class="cases" aria-label="Test cases">
          {cases.map((test, index) => (
            <Case key={index} test={test} />
          ))}
        </ul>
      )}
      {testResult?.errors && <CodeBlock label="What kept the tests from running" text={testResult.errors} />}
      {output !== '' && (
        <section class="stack">
          <h3>Printed{truncated.stdout && ', and more that was cut off'}</h3>
          <CodeBlock label="Printed" text={output} />
        </section>
      )}
      {errors !== null && (
        <details open={error === null && testResult === null}>
          <summary>Traceback and errors</summary>
          <CodeBlock label="Traceback and errors" text={errors} />
        </details>
      )}
    </div>
  );
}

function Case({ test }: { test: TestCase }) {
  const { name, passed, expected, actual, error } = test;
  return (
    <li data-case={passed ? 'passed' : 'failed'}>
      <span class="row">
        <StateBadge state={passed ? 'succeeded' : 'failed'} isShort />
        <span class="mono">{name}</span>
      </span>
      {!passed && error !== undefined && <span class="small">{error}</span>}
      {!passed && expected !== undefined && (
        <dl class="facts">
          <dt>expected</dt>
          <dd>{expected}</dd>
          <dt>got</dt>
          <dd>{actual ?? '–'}</dd>
        </dl>
      )}
    </li>
  );
}
