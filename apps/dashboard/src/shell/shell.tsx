import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../state/app.ts';
import { matchPath } from '../state/router.ts';
import { focusFilter, moveRow, useShortcuts } from '../state/shortcuts.ts';
import { useStore } from '../state/store.ts';
import { Empty } from '../ui/empty.tsx';
import { Screen } from '../ui/panel.tsx';
import { QuestionDialog } from '../ui/question-dialog.tsx';
import { Toaster } from '../ui/toaster.tsx';
import { Help } from './help.tsx';
import { PAGES, SECTIONS } from './pages.ts';
import { Palette } from './palette.tsx';
import { Sidebar } from './sidebar.tsx';
import { SignIn } from './sign-in.tsx';
import './shell.css';

/** What is around every screen. */
export function Shell() {
  const { live, router, theme } = useApp();
  const path = useStore(router.place, (place) => place.path);
  const connection = useStore(live.connection);
  const [open, setOpen] = useState<'help' | 'palette' | undefined>(undefined);
  const close = (): void => setOpen(undefined);

  useShortcuts([
    { keys: '?', label: 'Keys', run: () => setOpen('help') },
    { keys: '/', label: 'Filter', run: focusFilter },
    { keys: 'j', label: 'Next row', run: () => moveRow(1) },
    { keys: 'k', label: 'Row before', run: () => moveRow(-1) },
    { keys: 't', label: 'Colours', run: () => theme.choose(isDark() ? 'light' : 'dark') },
    ...SECTIONS.map(({ key, name, path: to }) => ({
      keys: `g ${key}`,
      label: name,
      run: () => router.go(to),
    })),
  ]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        setOpen((was) => (was === 'palette' ? undefined : 'palette'));
      } else if (event.key === 'Escape' && document.activeElement instanceof HTMLElement) {
        if (document.querySelector('dialog[open]') === null) document.activeElement.blur();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  useFocusOnArrival(path);

  return (
    <>
      <a class="button skip" href="#main">
        Skip to the content
      </a>
      <div class="shell">
        <Sidebar onFind={() => setOpen('palette')} onHelp={() => setOpen('help')} />
        <div>
          <div role="status">
            {connection === 'away' && (
              <p class="banner">The service does not answer. What you see is from before; trying again…</p>
            )}
          </div>
          <main id="main" data-action="event.follow">
            <CurrentScreen path={path} />
          </main>
        </div>
      </div>
      {open === 'help' && <Help onClose={close} />}
      {open === 'palette' && <Palette onClose={close} />}
      <QuestionDialog />
      <SignIn />
      <Toaster />
    </>
  );
}

function CurrentScreen({ path }: { path: string }) {
  for (const { pattern, component: Component } of PAGES) {
    const found = matchPath(pattern, path);
    if (found !== undefined) return <Component key={path} id={found['id'] ?? ''} />;
  }
  return (
    <Screen name="Not here">
      <Empty title="There is no such page.">The screens are in the navigation.</Empty>
    </Screen>
  );
}

/** After a step to another screen, those who listen hear its heading. */
function useFocusOnArrival(path: string): void {
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [path]);
}

function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
}
