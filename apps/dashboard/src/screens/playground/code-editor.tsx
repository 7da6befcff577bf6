import { useEffect, useRef } from 'preact/hooks';
import { indentAfter } from './indent.ts';
import './code-editor.css';

export interface CodeEditorProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** A line to mark, from 1. */
  readonly marked?: number | null;
}

/** A field for code, with line numbers. Tab indents; after Esc it leaves the field. */
export function CodeEditor({ label, value, onInput, marked }: CodeEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = value.split('\n').length;

  useEffect(() => {
    document.querySelector('.code-editor .is-marked')?.scrollIntoView({ block: 'nearest' });
  }, [marked]);

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || area.current === null) return;
    if (event.key === 'Tab' && !event.shiftKey) {
      event.preventDefault();
      insert('    ');
    } else if (event.key === 'Enter') {
      event.preventDefault();
      insert(`\n${indentAfter(value.slice(0, area.current.selectionStart))}`);
    }
  }

  return (
    <div class="code-editor">
      <div class="gutter" aria-hidden="true">
        {Array.from({ length: lines }, (_, index) => (
          <div key={index} class={index + 1 === marked ? 'is-marked' : ''}>
            {index + 1}
          </div>
        ))}
      </div>
      <textarea
        ref={area}
        aria-label={label}
        rows={lines}
        value={value}
        spellcheck={false}
        autocapitalize="off"
        autoComplete="off"
        wrap="off"
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={onKey}
      />
    </div>
  );
}

/** Types a text where the cursor is. This old command is the one way that can be undone. */
function insert(text: string): void {
  document.execCommand('insertText', false, text);
}
