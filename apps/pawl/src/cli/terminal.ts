import { createColors } from 'picocolors';

type Colors = ReturnType<typeof createColors>;

/** Where output goes: to somebody's eyes, or to a file or program. */
export interface Terminal {
  readonly isTerminal: boolean;
  /** In columns; `Infinity` where it is no terminal, so that nothing is cut. */
  readonly width: number;
  readonly colors: Colors;
}

const DEFAULT_WIDTH = 80;

/** What stdout or stderr is. No colour with NO_COLOR, `--no-color`, a dumb terminal or none; FORCE_COLOR is one. */
export function terminalOf(stream: NodeJS.WriteStream): Terminal {
  const isTerminal = stream.isTTY;
  return {
    isTerminal,
    width: isTerminal ? stream.columns || DEFAULT_WIDTH : Infinity,
    colors: createColors(hasColors(stream)),
  };
}

/** @param stream whose `isTTY` is missing where there is no terminal, whatever its type says */
export function hasColors({ isTTY = false }: { readonly isTTY?: boolean }): boolean {
  const { NO_COLOR = '', FORCE_COLOR = '', TERM } = process.env;
  if (NO_COLOR !== '' || FORCE_COLOR === '0' || process.argv.includes('--no-color')) return false;
  return FORCE_COLOR !== '' || (isTTY && TERM !== 'dumb');
}
