import { useState } from 'preact/hooks';
import { useApp } from '../state/app.ts';
import type { OpenQuestion } from '../state/dialogs.ts';
import { useStore } from '../state/store.ts';
import { Dialog } from './dialog.tsx';
import { TextField } from './field.tsx';

/** Asks what `dialogs.ask` was given. */
export function QuestionDialog() {
  const question = useStore(useApp().dialogs.question);
  return question === undefined ? null : <Question key={question.title} question={question} />;
}

function Question({ question }: { question: OpenQuestion }) {
  const { title, text, confirm, input, answer } = question;
  const [value, setValue] = useState(input?.value ?? '');
  return (
    <Dialog label={title} onClose={() => answer(undefined)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer(value);
        }}
      >
        <h2>{title}</h2>
        <p>{text}</p>
        {input !== undefined && <TextField label={input.label} value={value} onInput={setValue} required />}
        <footer>
          <button
            type="button"
            class="button"
            autofocus={input === undefined}
            onClick={() => answer(undefined)}
          >
            Leave it
          </button>
          <button type="submit" class={`button primary ${input === undefined ? 'danger' : ''}`}>
            {confirm}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
