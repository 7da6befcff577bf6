// What people write without Pawl: fastify with a route each, and a `python3` started for every program. No checks, no
// sandbox, no limits, nothing stored.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fastify } from 'fastify';

const app = fastify();
app.get('/health', () => ({ status: 'healthy' }));
app.post('/v1/runs', async (_request, reply) =>
  reply.status(202).send({ id: randomUUID(), state: 'queued' }),
);
app.post('/execute', ({ body }) => execute(body.code));

function execute(code) {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', code], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.resume();
    child.once('error', reject);
    child.once('close', (exitCode) =>
      resolve({ success: exitCode === 0, output: Buffer.concat(output).toString() }),
    );
  });
}

const url = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`listens on ${url}`);
process.once('SIGTERM', () => process.exit(0));
