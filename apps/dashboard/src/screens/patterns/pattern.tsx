import type { PatternName } from '../../api/advisor.ts';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Pending } from '../../ui/empty.tsx';
import { TryConcurrent } from './try-concurrent.tsx';
import { TryPeriodic } from './try-periodic.tsx';
import { TryPooled } from './try-pooled.tsx';
import { TryRun } from './try-run.tsx';

/** One pattern: when to use it, what it gives and costs, and a form to try it. */
export function Pattern({ name }: { name: PatternName }) {
  const { api } = useApp();
  const explanation = useResource(async (signal) => api.advisor.explain(name, signal), [name]);
  const known = explanation.value;
  return (
    <div class="pattern">
      <div class="stack" data-action="advisor.explain">
        {known === undefined ? (
          <Pending resource={explanation} />
        ) : (
          <>
            <p>{known.useWhen}</p>
            <ul class="bullets">
              {known.benefits.map((benefit) => (
                <li key={benefit}>{benefit}</li>
              ))}
              {known.limitations.map((limitation) => (
                <li key={limitation} class="muted">
                  {limitation}
                </li>
              ))}
            </ul>
            <CodeBlock label="Example" text={known.example} />
          </>
        )}
      </div>
      <Try name={name} />
    </div>
  );
}

function Try({ name }: { name: PatternName }) {
  switch (name) {
    case 'concurrent':
      return <TryConcurrent />;
    case 'periodic':
      return <TryPeriodic />;
    case 'pooled':
      return <TryPooled />;
    case 'simple':
    case 'long-running':
    case 'fire-and-forget':
    default:
      return <TryRun pattern={name} />;
  }
}
