import { useState } from 'preact/hooks';
import { useApp } from '../state/app.ts';
import { useStore } from '../state/store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { TextField } from '../ui/field.tsx';

/** Asks for a token when the service wants one. */
export function SignIn() {
  const { session } = useApp();
  const why = useStore(session.asked);
  const [token, setToken] = useState('');
  if (why === undefined) return null;
  return (
    <Dialog label="Sign in" onClose={() => undefined}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          session.signIn(token.trim());
          setToken('');
        }}
      >
        <h2>Sign in</h2>
        <p>{why}</p>
        <TextField
          label="Token"
          type="password"
          value={token}
          onInput={setToken}
          hint="From `pawl token create`. It is kept until this tab is closed."
          required
        />
        <footer>
          <button type="submit" class="button primary">
            Sign in
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
