import { createStore, type Store } from './store.ts';

/** Where the page is: the path below `/ui`, and its query. */
export interface Place {
  /** Begins with `/`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface Router {
  readonly place: Store<Place>;
  /** Goes to a path below `/ui`, with its query. `replace` leaves no step to go back to. */
  go(to: string, options?: { readonly replace?: boolean }): void;
}

const BASE = '/ui';

/** The address of a path below `/ui`. */
export const hrefOf = (to: string): string => BASE + to;

/** Follows the address bar, and takes over the links to pages of this one. */
export function createRouter(): Router {
  const place = createStore(placeOf(location.href));

  const go: Router['go'] = (to, { replace = false } = {}) => {
    const href = hrefOf(to);
    if (replace) history.replaceState(null, '', href);
    else history.pushState(null, '', href);
    const isOtherPath = placeOf(location.href).path !== place.get().path;
    place.set(placeOf(location.href));
    if (isOtherPath) scrollTo(0, 0);
  };

  addEventListener('popstate', () => place.set(placeOf(location.href)));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hash !== '' || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || !link.pathname.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    go(link.pathname.slice(BASE.length) + link.search);
  });
  return { place, go };
}

function placeOf(href: string): Place {
  const { pathname, searchParams } = new URL(href);
  const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : pathname;
  return { path: path === '' ? '/' : path, query: searchParams };
}

/** The parts of `/runs/:id` in a path, decoded; undefined when it is another path. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/');
  const parts = path.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== parts.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, name] of wanted.entries()) {
    const part = parts[index] ?? '';
    if (name.startsWith(':')) found[name.slice(1)] = decode(part);
    else if (name !== part) return undefined;
  }
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
