import './ui/tokens.css';
import './ui/base.css';
import './ui/badge.css';
import './ui/table.css';
import { render } from 'preact';
import { createApi } from './api/api.ts';
import { createHttp } from './api/http.ts';
import { createSession } from './api/session.ts';
import { createLive } from './live/live.ts';
import { Shell } from './shell/shell.tsx';
import { type App, AppContext } from './state/app.ts';
import { createDialogs } from './state/dialogs.ts';
import { createNow } from './state/now.ts';
import { createRouter } from './state/router.ts';
import { createTheme } from './state/theme.ts';
import { createToasts } from './state/toasts.ts';

const session = createSession();
const http = createHttp(session);
const app: App = {
  api: createApi(http),
  session,
  live: createLive(http, session),
  router: createRouter(),
  toasts: createToasts(),
  dialogs: createDialogs(),
  theme: createTheme(),
  now: createNow(),
};

const root = document.querySelector('#app');
if (root !== null) {
  render(
    <AppContext.Provider value={app}>
      <Shell />
    </AppContext.Provider>,
    root,
  );
  app.live.start();
}
