import type { FastifyReply } from 'fastify';
import { HttpError } from './http-errors.ts';

/** Aborts when the client closes the connection before it has its answer: nobody waits for it any more. */
export function clientLeft(reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) {
      left.abort(new HttpError(499, 'CLIENT_LEFT', 'The client closed the connection.'));
    }
  });
  return left.signal;
}
