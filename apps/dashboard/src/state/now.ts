import { createStore, type Store } from './store.ts';

/** The time, each second while the page is seen. */
export function createNow(): Store<number> {
  const now = createStore(Date.now());
  const tick = (): void => {
    if (!document.hidden) now.set(Date.now());
  };
  setInterval(tick, 1_000);
  document.addEventListener('visibilitychange', tick);
  return now;
}
