import { expect } from 'vitest';
import type { Answered, ProblemBody, Service } from './start-service.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Calls a service as its clients do. */
export interface Client {
  get<Body = Fields>(path: string): Promise<Answered<Body>>;
  post<Body = Fields>(path: string, body?: unknown): Promise<Answered<Body>>;
  put<Body = Fields>(path: string, body: unknown): Promise<Answered<Body>>;
  delete<Body = Fields>(path: string): Promise<Answered<Body>>;
}

export function createClient({ request }: Pick<Service, 'request'>): Client {
  return {
    get: (path) => request('GET', path),
    post: (path, body) => request('POST', path, { body }),
    put: (path, body) => request('PUT', path, { body }),
    delete: (path) => request('DELETE', path),
  };
}

/** Checks that an answer is a problem of that status and code. @returns the fields it names */
export function fieldsOfProblem(
  { status, headers, body }: Answered<unknown>,
  wanted: readonly [status: number, code: string],
): readonly string[] {
  const problem = body as ProblemBody;
  expect([status, problem.code], problem.detail).toEqual(wanted);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return (problem.errors ?? []).map(({ field }) => field);
}
