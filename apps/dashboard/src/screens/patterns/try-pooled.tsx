import { useState } from 'preact/hooks';
import { formatDuration } from '../../format/time.ts';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';

/** Runs a program on the warm workers of the Python pool, and says how long each one took. */
export function TryPooled() {
  const { api } = useApp();
  const [code, setCode] = useState('print(sum(range(1000)))');
  const [count, setCount] = useState('5');
  const [tookMs, setTookMs] = useState<readonly number[]>([]);

  async function run(): Promise<void> {
    setTookMs([]);
    for (let done = 0; done < Number(count); done += 1) {
      const { executionTime } = await api.python.execute({ code });
      setTookMs((known) => [...known, executionTime]);
    }
  }

  return (
    <div class="stack">
      <div class="fields">
        <TextField label="Program" value={code} onInput={setCode} rows={3} isWide />
        <TextField label="How often" type="number" min={1} max={30} value={count} onInput={setCount} />
      </div>
      <div class="row">
        <Button kind="primary" data-action="program.execute" onClick={run}>
          Run
        </Button>
      </div>
      <ol class="tried" aria-label="How long each took" aria-live="polite">
        {tookMs.map((ms, index) => (
          <li key={index}>
            <span>Run {index + 1}</span>
            <span>{formatDuration(ms)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
