import { localTimes } from '../format/time.ts';
import { hrefOf } from '../state/router.ts';

/** Why a run waits, in the words of the service: times by the reader's clocks, runs as the way to them. */
export function Reason({ text }: { text: string }) {
  return (
    <>
      {localTimes(text)
        .split(/(run_\w+)/)
        .map((part, index) =>
          index % 2 === 0 ? (
            part
          ) : (
            <a key={part} href={hrefOf(`/runs/${part}`)}>
              {part}
            </a>
          ),
        )}
    </>
  );
}
