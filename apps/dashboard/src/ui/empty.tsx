import type { ComponentChildren } from 'preact';
import type { Resource } from '../state/resource.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';
import './empty.css';

/** What stands where there is nothing yet, with a first command to copy. */
export function Empty({
  title,
  command,
  children,
}: {
  title: string;
  command?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children !== undefined && <div>{children}</div>}
      {command !== undefined && (
        <div class="command">
          <code tabIndex={0}>{command}</code>
          <CopyButton text={command} what="the command" />
        </div>
      )}
    </div>
  );
}

/** What stands for something that is not there yet: that it is being read, or why it could not be. */
export function Pending({ resource }: { resource: Pick<Resource<unknown>, 'error' | 'reload'> }) {
  if (resource.error === undefined) return <p class="loading">Reading…</p>;
  return (
    <div class="fault row" role="alert">
      <span>{resource.error.message}</span>
      <Button kind="quiet" onClick={resource.reload}>
        Try again
      </Button>
    </div>
  );
}
