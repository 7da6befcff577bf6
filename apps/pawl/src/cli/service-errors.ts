import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { toOneLine } from './text-width.ts';

/** `refused`: nobody listens; `broken`: it was there, and left in the middle; `slow`: it takes too long. */
export type ConnectionFault = 'refused' | 'broken' | 'slow';

/** The service can't be reached. */
export class ServiceUnreachableError extends CommandError {
  readonly fault: ConnectionFault;

  constructor(fault: ConnectionFault, message: string, cause: unknown) {
    super(exitCodes.unavailable, message, { cause });
    this.fault = fault;
  }
}

/** The service answered with a problem. */
class ServiceProblemError extends CommandError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(exitCodeOf(status), message);
    this.status = status;
  }
}

/** Whether it may be over by itself: the service starts again, or the network had a fault. */
export function mayPass(failure: unknown): boolean {
  if (failure instanceof ServiceProblemError) return [408, 429, 502, 503, 504].includes(failure.status);
  return failure instanceof CommandError && failure.exitCode === exitCodes.unavailable;
}

interface Problem {
  readonly detail?: string;
  readonly title?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** What `fetch` threw, as one line. */
export function toConnectionError(error: unknown, url: string, timeoutMs: number): ServiceUnreachableError {
  if (error instanceof Error && error.name === 'TimeoutError') {
    const message = `the service at ${url} did not answer within ${timeoutMs / 1_000} s`;
    return new ServiceUnreachableError('slow', message, error);
  }
  const code = connectionCodeOf(error);
  if (code === 'ECONNREFUSED') {
    return new ServiceUnreachableError(
      'refused',
      `no service at ${url}: start one with \`pawl serve\`, or name another with --url or PAWL_URL`,
      error,
    );
  }
  if (['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'].includes(code)) {
    return new ServiceUnreachableError(
      'refused',
      `no service at ${url}: its host can't be reached (${code})`,
      error,
    );
  }
  if (code === 'bad port') {
    const message = `HTTP clients refuse the port of ${url}, which is known for something else: choose another`;
    return new ServiceUnreachableError('refused', message, error);
  }
  return new ServiceUnreachableError('broken', `the connection to ${url} broke (${code})`, error);
}

/** An answer that is no success, as one line with the names of the fields that are wrong. */
export async function problemError(response: Response, url: string): Promise<CommandError> {
  const { status } = response;
  const problem = await readProblem(response);
  if (problem === undefined) {
    return new CommandError(exitCodes.unavailable, `what answers at ${url} is not Pawl (status ${status})`);
  }
  if (status === 401) {
    const message = `${withoutStop(describeProblem(problem))}: set PAWL_TOKEN; \`pawl token create\` makes one`;
    return new ServiceProblemError(status, message);
  }
  return new ServiceProblemError(status, describeProblem(problem));
}

function describeProblem({ detail, title = 'The service failed.', errors = [] }: Problem): string {
  const main = detail ?? title;
  const more = errors
    .filter(({ message }) => !main.includes(message))
    .map(({ field, message }) => (message.includes(field) ? message : `${field}: ${message}`));
  return toOneLine([main, ...more].join(' '));
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  if (!/[/+]json\b/.test(response.headers.get('content-type') ?? '')) return undefined;
  try {
    return (await response.json()) as Problem;
  } catch {
    return undefined;
  }
}

function exitCodeOf(status: number): number {
  switch (status) {
    case 401:
    case 403:
      return exitCodes.noPermission;
    case 404:
      return exitCodes.noInput;
    case 409:
      return exitCodes.failed;
    case 408:
    case 429:
    case 503:
      return exitCodes.tryAgain;
    default:
      return status < 500 ? exitCodes.usage : exitCodes.software;
  }
}

/** `fetch` hides what went wrong in the cause, and where there are two addresses in the errors of the cause. */
function connectionCodeOf(error: unknown): string {
  let message = String(error);
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    if (at instanceof AggregateError) return connectionCodeOf(at.errors[0]);
    message = at.message;
  }
  return message;
}
