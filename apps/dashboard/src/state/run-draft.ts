import type { RunRequest } from '../api/runs.ts';
import { joinArguments, splitArguments } from '../format/command-line.ts';

/** A request for a run as somebody types it: texts, and those of the other kinds are kept. */
export interface RunDraft {
  readonly kind: 'command' | 'script' | 'python' | 'module';
  /** Program and arguments. */
  readonly command: string;
  readonly path: string;
  readonly args: string;
  readonly cwd: string;
  readonly code: string;
  readonly moduleId: string;
  readonly key: string;
  readonly timeoutSeconds: string;
  readonly maxAttempts: string;
  /** Of a module, as JSON. */
  readonly parameters: string;
}

export const EMPTY_DRAFT: RunDraft = {
  kind: 'command',
  command: '',
  path: '',
  args: '',
  cwd: '',
  code: '',
  moduleId: '',
  key: '',
  timeoutSeconds: '',
  maxAttempts: '',
  parameters: '',
};

/** What is sent. What was typed wrongly is left to the service, which says what is wrong. */
export function requestOfDraft(draft: RunDraft): RunRequest {
  return {
    ...workOf(draft),
    ...(draft.key === '' ? {} : { key: draft.key }),
    ...(draft.timeoutSeconds === '' ? {} : { timeoutMs: Number(draft.timeoutSeconds) * 1_000 }),
    ...(draft.maxAttempts === '' ? {} : { maxAttempts: Number(draft.maxAttempts) }),
  };
}

function workOf({ kind, command, path, args, cwd, code, moduleId, parameters }: RunDraft): RunRequest {
  const folder = cwd === '' ? {} : { cwd };
  switch (kind) {
    case 'command': {
      const [file = '', ...rest] = splitArguments(command);
      return { command: { file, args: rest, ...folder } };
    }
    case 'script':
      return { script: { path, args: splitArguments(args), ...folder } };
    case 'python':
      return { python: { code } };
    case 'module':
      return { module: { id: moduleId, parameters: parameters === '' ? {} : JSON.parse(parameters) } };
    default:
      return {};
  }
}

/** The draft of a request there is; fields that the form does not have are kept by {@link mergeRequest}. */
export function draftOfRequest(request: RunRequest): RunDraft {
  const { command, script, python, module, key, timeoutMs, maxAttempts } = request;
  return {
    ...EMPTY_DRAFT,
    ...(command && {
      kind: 'command',
      command: joinArguments([command.file, ...(command.args ?? [])]),
      cwd: command.cwd ?? '',
    }),
    ...(script && {
      kind: 'script',
      path: script.path,
      args: joinArguments(script.args ?? []),
      cwd: script.cwd ?? '',
    }),
    ...(python && { kind: 'python', code: python.code }),
    ...(module && {
      kind: 'module',
      moduleId: module.id,
      parameters: module.parameters === undefined ? '' : JSON.stringify(module.parameters, null, 2),
    }),
    key: key ?? '',
    timeoutSeconds: typeof timeoutMs === 'number' ? String(timeoutMs / 1_000) : '',
    maxAttempts: typeof maxAttempts === 'number' ? String(maxAttempts) : '',
  };
}

/** The request of a draft, with what only the request before said, such as its environment. */
export function mergeRequest(before: RunRequest, draft: RunDraft): RunRequest {
  const next = requestOfDraft(draft);
  const work = before[draft.kind];
  const { priority, delayMs } = before;
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...next,
    ...(work === undefined ? {} : { [draft.kind]: { ...work, ...next[draft.kind] } }),
  };
}
