import { useEffect, useRef, useState } from 'preact/hooks';
import type { ExecutionResult, Program } from '../../api/python.ts';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ExecutionView } from '../../ui/execution-view.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Panel, Screen } from '../../ui/panel.tsx';
import { CodeEditor } from './code-editor.tsx';
import { EXAMPLES } from './examples.ts';
import { ExerciseField } from './exercise-field.tsx';
import { loadPad, type Pad, savePad } from './pad.ts';
import './playground.css';

/** Python to write and run, with tests if there are any. */
export function PlaygroundScreen() {
  const { api, toasts } = useApp();
  const [pad, setPad] = useState(loadPad);
  const [result, setResult] = useState<ExecutionResult | undefined>(undefined);
  const [isRunning, setRunning] = useState(false);
  const hasTests = pad.testCode.trim() !== '' || pad.exerciseId !== '';
  const marked = result?.error?.line;

  const set = (part: Partial<Pad>): void => {
    const next = { ...pad, ...part };
    setPad(next);
    savePad(next);
  };

  async function run(withTests: boolean): Promise<void> {
    if (pad.code.trim() === '' || isRunning) return;
    setRunning(true);
    try {
      setResult(await api.python.execute(programOf(pad, withTests)));
    } catch (error) {
      toasts.error(error);
    } finally {
      setRunning(false);
    }
  }

  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void latest.current(!event.shiftKey);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const examples = [
    { value: '', label: 'Begin with an example' },
    ...EXAMPLES.map(({ name }) => ({ value: name, label: name })),
  ];
  return (
    <Screen name="Playground">
      <div class="playground">
        <div class="stack">
          <div class="fields">
            <SelectField
              label="Example"
              value=""
              onInput={(name) => {
                const example = EXAMPLES.find((one) => one.name === name);
                if (example === undefined) return;
                set({ code: example.code, testCode: example.testCode, exerciseId: '' });
                setResult(undefined);
              }}
              options={examples}
            />
            <ExerciseField
              value={pad.exerciseId}
              onInput={(exerciseId, exercise) => {
                set({ exerciseId, ...(exercise === undefined ? {} : { code: exercise.starterCode }) });
                setResult(undefined);
              }}
            />
          </div>
          <CodeEditor
            label="Program"
            value={pad.code}
            marked={marked ?? null}
            onInput={(code) => set({ code })}
          />
          <div class="row">
            <Button
              kind="primary"
              data-action="program.execute"
              disabled={isRunning}
              onClick={async () => run(hasTests)}
              title="Ctrl Enter"
            >
              {isRunning ? 'Running…' : hasTests ? 'Run with tests' : 'Run'} <kbd>Ctrl ↵</kbd>
            </Button>
            {hasTests && (
              <Button disabled={isRunning} onClick={async () => run(false)} title="Ctrl Shift Enter">
                Run without tests
              </Button>
            )}
            <span class="small muted">Esc, then Tab, leaves the editor.</span>
          </div>
          <TextField
            label="Input"
            value={pad.stdin}
            onInput={(stdin) => set({ stdin })}
            rows={2}
            hint="What input() reads, line by line."
          />
          {pad.exerciseId === '' && (
            <div class="field tests">
              <span class="label">Tests</span>
              <CodeEditor label="Tests" value={pad.testCode} onInput={(testCode) => set({ testCode })} />
              <span class="hint">
                Asserts on `output`, or on names imported from `starter`, which is the program. unittest
                works, too.
              </span>
            </div>
          )}
        </div>
        <Panel title="Result">
          <div aria-live="polite" aria-busy={isRunning} data-result={result?.status}>
            {result === undefined ? (
              <Empty title="Nothing was run yet.">
                Write a program and press Ctrl Enter. It runs in the sandbox of this service.
              </Empty>
            ) : (
              <ExecutionView result={result} />
            )}
          </div>
        </Panel>
      </div>
    </Screen>
  );
}

function programOf({ code, testCode, exerciseId, stdin }: Pad, withTests: boolean): Program {
  const tests = exerciseId === '' ? { testCode } : { exerciseId };
  return {
    code,
    ...(withTests && (exerciseId !== '' || testCode.trim() !== '') ? tests : {}),
    ...(stdin === '' ? {} : { stdin }),
  };
}
