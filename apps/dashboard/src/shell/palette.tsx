import { useEffect, useId, useState } from 'preact/hooks';
import { RUN_STATES, type RunSummary } from '../api/runs.ts';
import { useApp } from '../state/app.ts';
import { distanceOf } from './name-search.ts';
import { Dialog } from '../ui/dialog.tsx';
import { SECTIONS } from './pages.ts';
import './palette.css';

const MAX_FOUND = 40;

interface Entry {
  readonly name: string;
  readonly note: string;
  readonly run: () => void;
}

/** Finds screens, actions and recent runs by a few letters. */
export function Palette({ onClose }: { onClose: () => void }) {
  const { api, router, theme } = useApp();
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const [runs, setRuns] = useState<readonly RunSummary[]>([]);
  const id = useId();

  useEffect(() => {
    const reading = new AbortController();
    api.runs.list({ limit: 100 }, reading.signal).then(
      (page) => setRuns(page.runs),
      // Without runs there are still the screens.
      () => undefined,
    );
    return () => reading.abort();
  }, [api]);

  const go = (to: string) => () => router.go(to);
  const all: readonly Entry[] = [
    ...SECTIONS.map(({ name, path, key }) => ({ name, note: `g ${key}`, run: go(path) })),
    { name: 'New schedule', note: 'action', run: go('/schedules/~new') },
    { name: 'Submit a run', note: 'action', run: go('/patterns') },
    { name: 'Write Python', note: 'action', run: go('/playground') },
    { name: 'Light colours', note: 'action', run: () => theme.choose('light') },
    { name: 'Dark colours', note: 'action', run: () => theme.choose('dark') },
    ...RUN_STATES.map((state) => ({
      name: `Runs: ${state}`,
      note: 'filter',
      run: go(`/runs?state=${state}`),
    })),
    ...runs.map((run) => ({ name: run.title, note: run.state, run: go(`/runs/${run.id}`) })),
  ];
  const found = all
    .map((entry) => ({ entry, distance: distanceOf(entry.name, text) }))
    .filter(({ distance }) => distance < Infinity)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, MAX_FOUND)
    .map(({ entry }) => entry);
  const selected = Math.min(chosen, found.length - 1);

  const choose = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    onClose();
    entry.run();
  };

  function onKey(event: KeyboardEvent): void {
    if (event.key === 'Enter') choose(found[selected]);
    else if (event.key === 'ArrowDown') setChosen(Math.min(selected + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setChosen(Math.max(selected - 1, 0));
    else return;
    event.preventDefault();
  }

  useEffect(() => {
    document.getElementById(`${id}-${selected}`)?.scrollIntoView({ block: 'nearest' });
  }, [selected]);

  return (
    <Dialog label="Find" onClose={onClose} isOnTop>
      <div class="palette">
        <input
          class="input"
          role="combobox"
          aria-label="Find a screen, a run or an action"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={found.length === 0 ? undefined : `${id}-${selected}`}
          placeholder="Find a screen, a run or an action"
          autofocus
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKey}
        />
        <ul id={id} role="listbox" aria-label="Found">
          {found.map((entry, index) => (
            <li
              key={`${entry.name} ${index}`}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === selected}
              onClick={() => choose(entry)}
            >
              <span class="cut">{entry.name}</span>
              <span class="muted small nowrap">{entry.note}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="muted nothing">Nothing is called that.</p>}
      </div>
    </Dialog>
  );
}
