import { createStore, type Store } from './store.ts';

/** `system` follows the settings of the browser. */
export type ThemeChoice = 'system' | 'light' | 'dark';

export interface Theme {
  readonly choice: Store<ThemeChoice>;
  choose(choice: ThemeChoice): void;
}

const KEY = 'pawl-theme';

export function createTheme(storage: Storage = localStorage): Theme {
  const stored = storage.getItem(KEY);
  const choice = createStore<ThemeChoice>(stored === 'light' || stored === 'dark' ? stored : 'system');
  const show = (): void => {
    const chosen = choice.get();
    if (chosen === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = chosen;
  };
  show();
  return {
    choice,
    choose(next) {
      if (next === 'system') storage.removeItem(KEY);
      else storage.setItem(KEY, next);
      choice.set(next);
      show();
    },
  };
}
