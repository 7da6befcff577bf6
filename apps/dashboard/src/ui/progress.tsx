import { shareOf } from '../format/share.ts';
import './progress.css';

/** How far something is, where its report says so. */
export function Progress({ value }: { value: unknown }) {
  const share = shareOf(value);
  if (share === undefined) return null;
  const percent = `${Math.round(share * 100)} %`;
  return (
    <span class="row nowrap">
      <progress class="progress" value={share} max={1} aria-label="Progress" />
      <span class="small muted">{percent}</span>
    </span>
  );
}
