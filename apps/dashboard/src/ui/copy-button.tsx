import { useApp } from '../state/app.ts';
import { Button } from './button.tsx';

/** Puts a text on the clipboard. `what` names it: "the command". */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const { toasts } = useApp();
  return (
    <Button
      kind="quiet"
      label={`Copy ${what}`}
      onClick={async () => {
        await navigator.clipboard.writeText(text);
        toasts.done(`Copied ${what}.`);
      }}
    >
      Copy
    </Button>
  );
}
