import { useApp } from '../state/app.ts';
import { useStore } from '../state/store.ts';
import { Button } from './button.tsx';
import './toaster.css';

/** What was done, with a way back where there is one, and what went wrong. */
export function Toaster() {
  const { toasts } = useApp();
  const all = useStore(toasts.all);
  return (
    <div class="toaster" role="status" aria-live="polite">
      {all.map(({ id, kind, text, details, act }) => (
        <div key={id} class={`toast ${kind}`} data-toast={kind}>
          <div>
            {text}
            {details.length > 0 && (
              <ul class="small muted">
                {details.map((detail) => (
                  <li key={detail}>{detail}</li>
                ))}
              </ul>
            )}
          </div>
          {act !== undefined && (
            <Button
              onClick={() => {
                toasts.close(id);
                act.run();
              }}
            >
              {act.label}
            </Button>
          )}
          <Button kind="quiet" label="Close this message" onClick={() => toasts.close(id)}>
            ×
          </Button>
        </div>
      ))}
    </div>
  );
}
