import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** What the page may load: its own files and nothing of anybody else. It asks this service alone. */
const POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  // It styles some of its parts in place.
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

/** `GET /docs`: the description of the service for people, where they can try it. */
export async function docsRoute(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: POLICY,
    uiConfig: {
      docExpansion: 'list',
      tryItOutEnabled: true,
      // Otherwise it asks a validator on the internet what it thinks of this service.
      validatorUrl: null,
    },
  });
}
