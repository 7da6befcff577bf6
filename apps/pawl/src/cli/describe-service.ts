import { createApp } from '../app.ts';
import { parseConfig } from '../config.ts';
import { createLogger } from '../logging.ts';
import type { Services } from '../services.ts';
import { readVersion } from '../version.ts';

/** The description that a service gives at `/openapi.json`, without one: routes are registered and never called. */
export async function describeService(): Promise<unknown> {
  const needed: Partial<Services> = {
    config: parseConfig({}),
    version: readVersion(),
    logger: await createLogger({ level: 'silent', isTerminal: false }),
  };
  const services = new Proxy(needed, {
    get: (target, name) => (Object.hasOwn(target, name) ? target[name as keyof Services] : standIn),
  });
  const app = await createApp(services as Services);
  try {
    await app.ready();
    return app.swagger();
  } finally {
    await app.close();
  }
}

/** In place of what answers requests: it can be taken apart and called, and does nothing. */
const standIn: unknown = new Proxy(() => standIn, {
  // Else it would be taken for a promise.
  get: (_target, name) => (name === 'then' ? undefined : standIn),
  apply: () => standIn,
});
