import { Agent, request as httpRequest } from 'node:http';
import { hasCode } from '@pawl/core';
import type { ExecutionResult } from '@pawl/python';
import type { SentProgram } from './programs.ts';

/** What a client got for one request. */
export interface Reply {
  /** From the request to the last byte of its answer. */
  readonly latencyMs: number;
  /** Undefined where the program was not run. */
  readonly result: ExecutionResult | undefined;
  /** Why not: the HTTP status and the code of the problem. */
  readonly refusal: string;
  /** When to come again, in seconds; undefined where the answer did not say. */
  readonly retryAfter: number | undefined;
}

/** A client with one connection, which it keeps, from an address of its own. */
export interface LoadClient {
  send(program: SentProgram): Promise<Reply>;
  close(): void;
}

/** All of 127.0.0.0/8 is this machine: so each client is one to the rate limit. */
const addressOf = (n: number): string => `127.1.${n >> 8}.${n & 255}`;

/** @param n which client it is, from 0 */
export function createLoadClient(url: string, n: number): LoadClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: addressOf(n) });
  const send: LoadClient['send'] = (program) =>
    new Promise((resolve, reject) => {
      const { request } = program;
      const body = JSON.stringify(request);
      const sentAt = performance.now();
      const sent = httpRequest(`${url}/execute`, {
        agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      sent.on('error', (error) => {
        // The service closed a connection that was idle just when it was used again.
        if (sent.reusedSocket && hasCode(error, 'ECONNRESET')) resolve(send(program));
        else reject(error);
      });
      sent.on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const status = answer.statusCode ?? 0;
          const retryAfter = answer.headers['retry-after'];
          const latencyMs = performance.now() - sentAt;
          const told: unknown = JSON.parse(Buffer.concat(chunks).toString());
          const isResult = status === 200;
          resolve({
            latencyMs,
            result: isResult ? (told as ExecutionResult) : undefined,
            refusal: isResult ? '' : `${status} ${(told as { readonly code: string }).code}`,
            retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
          });
        });
      });
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}
