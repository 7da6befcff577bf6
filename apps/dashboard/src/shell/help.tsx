import { Dialog } from '../ui/dialog.tsx';
import { SECTIONS } from './pages.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['Ctrl K or ⌘ K', 'Find a screen, a run or an action'],
  ['/', 'Go to the filter'],
  ['j, k', 'Next row, row before'],
  ['Enter', 'Open the row'],
  ['Esc', 'Close, or leave a field'],
  ['Ctrl Enter', 'Run the program of the playground'],
  ['t', 'Change between light and dark'],
  ['?', 'These keys'],
  ...SECTIONS.map(({ key, name }) => [`g ${key}`, name] as const),
];

/** The keys one can use. */
export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog label="Keys" onClose={onClose}>
      <div class="inside">
        <h2>Keys</h2>
        <dl class="facts">
          {KEYS.map(([keys, what]) => (
            <div key={keys} style={{ display: 'contents' }}>
              <dt>
                <kbd class="mono">{keys}</kbd>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <footer>
          <button type="button" class="button" onClick={onClose}>
            Close
          </button>
        </footer>
      </div>
    </Dialog>
  );
}
