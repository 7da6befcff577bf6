import { createStore, type Store } from '../state/store.ts';

const KEY = 'pawl-token';

/** The token of this tab, and whether the service asks for one. */
export interface Session {
  /** Empty when there is none. */
  readonly token: Store<string>;
  /** Why the service wants a token, in its own words; undefined when it wants none. */
  readonly asked: Store<string | undefined>;
  /** Notes that the service refused a call made with `token`. */
  ask(why: string, token: string): void;
  /** Takes a token, kept until the tab is closed. An empty one signs out. */
  signIn(token: string): void;
}

export function createSession(storage: Storage = sessionStorage): Session {
  const token = createStore(storage.getItem(KEY) ?? '');
  const asked = createStore<string | undefined>(undefined);
  return {
    token,
    asked,
    ask(why, used) {
      // A late answer to an older token says nothing about the one there is now.
      if (used === token.get()) asked.set(why);
    },
    signIn(next) {
      if (next === '') storage.removeItem(KEY);
      else storage.setItem(KEY, next);
      asked.set(undefined);
      token.set(next);
    },
  };
}
