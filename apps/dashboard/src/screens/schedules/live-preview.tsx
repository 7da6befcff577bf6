import { useEffect, useState } from 'preact/hooks';
import type { SchedulePreview } from '../../api/schedules.ts';
import { useApp } from '../../state/app.ts';
import { Panel } from '../../ui/panel.tsx';
import { type ScheduleDraft, timingOf } from './schedule-draft.ts';
import { SlotList } from './slot-list.tsx';

const SLOTS = 10;
/** Not for every letter that is typed. */
const PAUSE_MS = 200;

/** The slots of what is typed, or what is wrong with it. */
export function LivePreview({ draft }: { draft: ScheduleDraft }) {
  const { api } = useApp();
  const [preview, setPreview] = useState<SchedulePreview | undefined>(undefined);
  const [error, setError] = useState<Error | undefined>(undefined);
  const timing = timingOf(draft);

  async function read(signal: AbortSignal): Promise<void> {
    try {
      setPreview(await api.schedules.preview(timing, SLOTS, signal));
      setError(undefined);
    } catch (reason) {
      if (!signal.aborted) setError(reason as Error);
    }
  }

  useEffect(() => {
    const reading = new AbortController();
    const timer = setTimeout(() => {
      void read(reading.signal);
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      reading.abort();
    };
  }, [api, JSON.stringify(timing)]);

  return (
    <Panel title="Its next slots" data-action="schedule.preview-draft">
      <div class="stack" aria-live="polite">
        {error !== undefined && <p class="fault">{error.message}</p>}
        {error === undefined && preview !== undefined && (
          <>
            <p>{preview.inWords}</p>
            <SlotList slots={preview.slots} />
          </>
        )}
      </div>
    </Panel>
  );
}
