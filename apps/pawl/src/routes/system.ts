import type { FastifyInstance } from 'fastify';
import { settingsView, systemView } from '../api/system-schemas.ts';
import type { Services } from '../services.ts';
import { describeSettings } from '../settings.ts';
import { settingsInForce } from '../system/settings-in-force.ts';

/** The service itself: how it and its machine are, its settings, and what programs run in. */
export function systemRoutes(app: FastifyInstance, { programs, system, config }: Services): void {
  app.get(
    '/system/sandbox',
    { schema: { summary: 'The sandbox in use.' }, config: { role: 'read' } },
    async () => programs.sandbox(),
  );

  app.get(
    '/v1/system',
    {
      schema: { summary: 'How the service and its machine are.', response: { 200: systemView } },
      config: { role: 'read' },
    },
    async () => system.read(),
  );

  app.get(
    '/v1/settings',
    {
      schema: {
        summary: 'The settings in force; none of them is a secret.',
        response: { 200: settingsView },
      },
      config: { role: 'admin' },
    },
    () => {
      const values = settingsInForce(config);
      const settings = describeSettings().map((setting) => ({
        ...setting,
        value: values[setting.name] ?? null,
      }));
      return { settings, nextCursor: null };
    },
  );
}
