/**
 * The variable by which all that comes of a process is known, however it left its group, its session and its parent:
 * the marks of the processes it comes of, outermost first, with `/` between. A host that is a worker of another host
 * adds to what it inherited.
 */
export const MARK_NAME = 'PAWL_PROCESS';

/** @param outer the mark that the host itself carries */
export function joinMarks(outer: string | undefined, mark: string): string {
  return outer === undefined || outer === '' ? mark : `${outer}/${mark}`;
}

/** @param entry of an environment: `NAME=value` */
export function holdsMark(entry: string, mark: string): boolean {
  if (!entry.startsWith(`${MARK_NAME}=`)) return false;
  return entry
    .slice(MARK_NAME.length + 1)
    .split('/')
    .includes(mark);
}
