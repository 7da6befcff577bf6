import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/app.ts';
import { hrefOf } from '../state/router.ts';
import { useStore } from '../state/store.ts';
import type { ThemeChoice } from '../state/theme.ts';
import { Button } from '../ui/button.tsx';
import { SECTIONS } from './pages.ts';

const CONNECTIONS = { connecting: 'Connecting…', live: 'Live', away: 'Away' } as const;
const THEMES: readonly (readonly [ThemeChoice, string])[] = [
  ['system', 'Auto'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

/** Where one can go, and how the page is connected. On a narrow page it is a bar on top. */
export function Sidebar({ onFind, onHelp }: { onFind: () => void; onHelp: () => void }) {
  const { live, router, session, theme } = useApp();
  const path = useStore(router.place, (place) => place.path);
  const connection = useStore(live.connection);
  const counts = useStore(live.stats, (all) => all.at(-1)?.stats.counts);
  const choice = useStore(theme.choice);
  const token = useStore(session.token);
  const nav = useRef<HTMLElement>(null);
  const current = SECTIONS.findLast((section) => path.startsWith(section.path))?.path;

  useEffect(() => {
    // The bar of a narrow page scrolls sideways.
    const link = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (link && nav.current) nav.current.scrollLeft = link.offsetLeft - nav.current.clientWidth / 2;
  }, [current]);

  return (
    <header class="sidebar">
      <a class="brand" href={hrefOf('/')}>
        <Logo />
        Pawl
      </a>
      <nav ref={nav} aria-label="Screens">
        <ul class="sections">
          {SECTIONS.map((section) => {
            const running = section.path === '/runs' ? (counts?.['running'] ?? 0) : 0;
            return (
              <li key={section.path}>
                <a href={hrefOf(section.path)} aria-current={section.path === current ? 'page' : undefined}>
                  {section.name}
                  {running > 0 && <span class="count">{running} running</span>}
                </a>
              </li>
            );
          })}
        </ul>
      </nav>
      <div class="foot">
        <p class={`connection ${connection}`} role="status" title={CONNECTIONS[connection]}>
          <span>{CONNECTIONS[connection]}</span>
        </p>
        {token !== '' && (
          <Button kind="quiet" onClick={() => session.signIn('')}>
            Sign out
          </Button>
        )}
        <div class="row finder">
          <Button kind="quiet" onClick={onFind}>
            Find <kbd>Ctrl K</kbd>
          </Button>
          <Button kind="quiet" onClick={onHelp}>
            Keys <kbd>?</kbd>
          </Button>
        </div>
        <div class="themes" role="group" aria-label="Colours">
          {THEMES.map(([value, name]) => (
            <Button key={value} pressed={value === choice} onClick={() => theme.choose(value)}>
              {name}
            </Button>
          ))}
        </div>
      </div>
    </header>
  );
}

/** A wheel that a pawl keeps from turning back. */
function Logo() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
      <path d="M10 7.2a6.9 6.9 0 1 0 6.8 6.9" stroke-linecap="round" />
      <circle cx="10" cy="14.1" r="1.6" fill="currentColor" stroke="none" />
      <path d="m10 7.2 3.4-2.6v3.2M16.8 14.1l3.3 1.2-2.2 2.2" stroke-linejoin="round" />
      <path d="M21.5 3 15 10.5" stroke-width="2.6" stroke-linecap="round" />
    </svg>
  );
}
