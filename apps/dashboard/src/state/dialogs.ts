import { createStore, type Store } from './store.ts';

/** A question before something that can't be undone. */
export interface Question {
  readonly title: string;
  /** What will happen, by name. */
  readonly text: string;
  /** What the button says: the deed, not "OK". */
  readonly confirm: string;
  /** Asks for a line of text besides. */
  readonly input?: { readonly label: string; readonly value: string };
}

export interface OpenQuestion extends Question {
  /** The text that was asked for, empty without one; undefined when the answer is no. */
  readonly answer: (text: string | undefined) => void;
}

export interface Dialogs {
  readonly question: Store<OpenQuestion | undefined>;
  /** Resolves to the text asked for, empty without one; to undefined when the answer is no. */
  ask(question: Question): Promise<string | undefined>;
}

export function createDialogs(): Dialogs {
  const question = createStore<OpenQuestion | undefined>(undefined);
  return {
    question,
    ask: (next) =>
      new Promise((resolve) => {
        // A new question answers an open one with no.
        question.get()?.answer(undefined);
        const answer = (text: string | undefined): void => {
          question.set(undefined);
          resolve(text);
        };
        question.set({ ...next, answer });
      }),
  };
}
