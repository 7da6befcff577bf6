import type { PatternName } from '../../api/advisor.ts';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { useStore } from '../../state/store.ts';
import { Pending } from '../../ui/empty.tsx';
import { Panel, Screen } from '../../ui/panel.tsx';
import { Advisor } from './advisor.tsx';
import { Comparison } from './comparison.tsx';
import { Pattern } from './pattern.tsx';
import './patterns.css';

/** Six ways to run work: which fits, what each is, and each to try. */
export function PatternsScreen() {
  const { api, router } = useApp();
  const { query } = useStore(router.place);
  const patterns = useResource(async (signal) => api.advisor.compare(signal), []);
  const asked = query.get('pattern');
  const chosen = patterns.value?.find(({ name }) => name === asked)?.name ?? patterns.value?.[0]?.name;
  const choose = (name: PatternName): void => router.go(`/patterns?pattern=${name}`, { replace: true });

  return (
    <Screen name="Patterns">
      <Advisor onChoose={choose} />
      {patterns.value === undefined ? (
        <Pending resource={patterns} />
      ) : (
        <>
          <Panel
            title="Try one"
            tools={
              <nav class="pattern-tabs" aria-label="Patterns">
                {patterns.value.map(({ name }) => (
                  <a
                    key={name}
                    class={`button ${name === chosen ? 'primary' : 'quiet'}`}
                    aria-current={name === chosen ? 'true' : undefined}
                    href={hrefOf(`/patterns?pattern=${name}`)}
                  >
                    {name}
                  </a>
                ))}
              </nav>
            }
          >
            {chosen !== undefined && <Pattern key={chosen} name={chosen} />}
          </Panel>
          <Comparison patterns={patterns.value} />
        </>
      )}
    </Screen>
  );
}
