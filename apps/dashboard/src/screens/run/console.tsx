import { useMemo, useState } from 'preact/hooks';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { Panel } from '../../ui/panel.tsx';
import { ConsoleView } from './console-view.tsx';
import { useRunLog } from './run-log.ts';
import './console.css';

export interface ConsoleProps {
  readonly runId: string;
  readonly attempt: number;
  readonly fence: number;
}

/** What a run prints, as it prints it. */
export function Console({ runId, attempt, fence }: ConsoleProps) {
  const log = useRunLog(runId, attempt, fence);
  const [streams, setStreams] = useState({ stdout: true, stderr: true });
  const [follows, setFollows] = useState(true);
  const [wraps, setWraps] = useState(true);
  const [hasTime, setTime] = useState(false);
  const [hasColors, setColors] = useState(true);
  const [search, setSearch] = useState('');
  const [at, setAt] = useState({ index: 0, jump: 0 });
  const { buffer, version } = log;
  const found = useMemo(() => buffer.search(search), [buffer, search, version, streams]);

  const step = (by: number): void => {
    if (found.length === 0) return;
    setFollows(false);
    setAt({ index: (at.index + by + found.length) % found.length, jump: at.jump + 1 });
  };
  const toggle = (stream: 'stdout' | 'stderr'): void => {
    const next = { ...streams, [stream]: !streams[stream] };
    buffer.show(next);
    setStreams(next);
  };
  const index = Math.min(at.index, found.length - 1);
  const count = `${buffer.shown.length} ${buffer.shown.length === 1 ? 'line' : 'lines'}${buffer.forgotten > 0 ? `, ${buffer.forgotten} older ones left out` : ''}`;

  return (
    <Panel
      title="Output"
      count={`${count}${log.isComplete ? '' : ', live'}`}
      data-action="log.follow"
      tools={<Download {...{ runId, attempt }} />}
      isFlush
    >
      <div class="console">
        <div class="console-tools" role="group" aria-label="How the output is shown">
          <Button pressed={follows} onClick={() => setFollows(!follows)}>
            Follow
          </Button>
          <Button pressed={streams.stdout} onClick={() => toggle('stdout')}>
            stdout
          </Button>
          <Button pressed={streams.stderr} onClick={() => toggle('stderr')}>
            stderr
          </Button>
          <Button pressed={wraps} onClick={() => setWraps(!wraps)}>
            Wrap
          </Button>
          <Button pressed={hasTime} onClick={() => setTime(!hasTime)}>
            Times
          </Button>
          <Button pressed={hasColors} onClick={() => setColors(!hasColors)}>
            Colours
          </Button>
          <div class="find" role="search">
            <input
              class="input"
              type="search"
              aria-label="Find in the output"
              placeholder="Find in the output"
              data-filter=""
              value={search}
              onInput={(event) => {
                setSearch(event.currentTarget.value);
                setAt({ index: 0, jump: at.jump + 1 });
                setFollows(false);
              }}
              onKeyDown={(event) => {
                if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
              }}
            />
            <span class="small muted nowrap" role="status">
              {search === '' ? '' : `${index + 1} of ${found.length}`}
            </span>
            <Button kind="quiet" label="Found before" onClick={() => step(-1)} disabled={found.length === 0}>
              ↑
            </Button>
            <Button kind="quiet" label="Found next" onClick={() => step(1)} disabled={found.length === 0}>
              ↓
            </Button>
          </div>
        </div>
        <ConsoleView
          log={log}
          follows={follows}
          onFollow={setFollows}
          wraps={wraps}
          hasTime={hasTime}
          hasColors={hasColors}
          search={search}
          found={found[index]}
          jump={at.jump}
        />
      </div>
    </Panel>
  );
}

/** Each stream whole, byte for byte. */
function Download({ runId, attempt }: { runId: string; attempt: number }) {
  const { api } = useApp();

  async function download(stream: 'stdout' | 'stderr'): Promise<void> {
    const url = URL.createObjectURL(await api.runs.download(runId, stream, attempt));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${runId}.${stream}.txt`;
    link.click();
    URL.revokeObjectURL(url);
  }

  return (
    <>
      <span class="small muted">Download</span>
      <Button data-action="log.download" kind="quiet" onClick={async () => download('stdout')}>
        stdout
      </Button>
      <Button data-action="log.download" kind="quiet" onClick={async () => download('stderr')}>
        stderr
      </Button>
    </>
  );
}
