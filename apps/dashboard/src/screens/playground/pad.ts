import { EXAMPLES } from './examples.ts';

/** What stands in the playground; kept until the tab is closed. */
export interface Pad {
  readonly code: string;
  readonly testCode: string;
  /** Its tests are run in place of `testCode`; empty for none. */
  readonly exerciseId: string;
  readonly stdin: string;
}

const KEY = 'pawl-playground';

export function loadPad(): Pad {
  const first = { ...EXAMPLES[0], exerciseId: '', stdin: 'Ada' } as Pad;
  try {
    return { ...first, ...(JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Partial<Pad>) };
  } catch {
    return first;
  }
}

export function savePad(pad: Pad): void {
  sessionStorage.setItem(KEY, JSON.stringify(pad));
}
