import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from '../api/api.ts';
import type { Session } from '../api/session.ts';
import type { Live } from '../live/live.ts';
import type { Dialogs } from './dialogs.ts';
import type { Router } from './router.ts';
import type { Store } from './store.ts';
import type { Theme } from './theme.ts';
import type { Toasts } from './toasts.ts';

/** What the parts of the page share; built in `main.tsx`. */
export interface App {
  readonly api: Api;
  readonly session: Session;
  readonly live: Live;
  readonly router: Router;
  readonly toasts: Toasts;
  readonly dialogs: Dialogs;
  readonly theme: Theme;
  /** Milliseconds since the epoch, each second. */
  readonly now: Store<number>;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('There is no AppContext around this component.');
  return app;
}
