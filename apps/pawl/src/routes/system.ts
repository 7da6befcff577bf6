import type { FastifyInstance } from 'fastify';
import type { SandboxState } from '../python/sandbox-state.ts';

/** `GET /system/sandbox`: what programs run in, what its probe found, and why it is no stronger one. */
export function systemRoute(app: FastifyInstance, sandbox: () => Promise<SandboxState>): void {
  app.get('/system/sandbox', { schema: { summary: 'The sandbox in use.' } }, sandbox);
}
