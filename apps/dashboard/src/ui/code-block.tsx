import './code-block.css';

/** A text as it is. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <pre class="code-block" tabIndex={0} role="group" aria-label={label}>
      {text}
    </pre>
  );
}

/** Any JSON: texts as they are, all else indented. */
export function JsonBlock({ value, label }: { value: unknown; label: string }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return <CodeBlock text={text} label={label} />;
}
