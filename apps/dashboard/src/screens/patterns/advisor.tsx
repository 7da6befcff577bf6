import { useState } from 'preact/hooks';
import type { PatternAdvice, PatternName, WorkTraits } from '../../api/advisor.ts';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { CheckField, TextField } from '../../ui/field.tsx';
import { Panel } from '../../ui/panel.tsx';

/** Asks what the work is like, and says which pattern fits and why. */
export function Advisor({ onChoose }: { onChoose: (name: PatternName) => void }) {
  const { api } = useApp();
  const [seconds, setSeconds] = useState('');
  const [together, setTogether] = useState('');
  const [perMinute, setPerMinute] = useState('');
  const [traits, setTraits] = useState<WorkTraits>({});
  const [advice, setAdvice] = useState<PatternAdvice | undefined>(undefined);

  async function ask(): Promise<void> {
    setAdvice(
      await api.advisor.recommend({
        ...traits,
        ...(seconds === '' ? {} : { expectedDurationMs: Number(seconds) * 1_000 }),
        ...(together === '' ? {} : { concurrentRuns: Number(together) }),
        ...(perMinute === '' ? {} : { runsPerMinute: Number(perMinute) }),
      }),
    );
  }

  return (
    <Panel title="Which one fits?">
      <div class="pattern">
        <div class="stack">
          <div class="fields">
            <TextField
              label="Seconds one run takes"
              type="number"
              min={0}
              value={seconds}
              onInput={setSeconds}
              placeholder="unknown"
            />
            <TextField
              label="Runs wanted together"
              type="number"
              min={1}
              value={together}
              onInput={setTogether}
              placeholder="1"
            />
            <TextField
              label="Runs in a minute"
              type="number"
              min={0}
              value={perMinute}
              onInput={setPerMinute}
              placeholder="few"
            />
          </div>
          <div class="fields">
            <CheckField
              label="Happens again and again by itself"
              checked={traits.recurring === true}
              onInput={(recurring) => setTraits({ ...traits, recurring })}
            />
            <CheckField
              label="Its output is watched"
              checked={traits.needsLiveOutput === true}
              onInput={(needsLiveOutput) => setTraits({ ...traits, needsLiveOutput })}
            />
            <CheckField
              label="Somebody waits for the result"
              checked={traits.needsResult !== false}
              onInput={(needsResult) => setTraits({ ...traits, needsResult })}
            />
          </div>
          <div class="row">
            <Button kind="primary" data-action="advisor.recommend" onClick={ask}>
              Recommend
            </Button>
          </div>
        </div>
        <div aria-live="polite">
          {advice === undefined ? (
            <p class="muted">Say what you know of the work; leave out what you do not.</p>
          ) : (
            <div class="answer stack">
              <p>
                <strong>{advice.pattern}</strong>
              </p>
              <ul class="bullets">
                {advice.reasons.map((reason) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
              {advice.runnersUp.length > 0 && (
                <ul class="small">
                  {advice.runnersUp.map(({ pattern, reason }) => (
                    <li key={pattern}>
                      Or {pattern}: {reason}
                    </li>
                  ))}
                </ul>
              )}
              <div class="row">
                <Button onClick={() => onChoose(advice.pattern)}>Try it</Button>
              </div>
            </div>
          )}
        </div>
      </div>
    </Panel>
  );
}
