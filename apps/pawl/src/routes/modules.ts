import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { toIso } from '../api/conventions.ts';
import {
  moduleConfig,
  moduleConfigRequest,
  modulePage,
  moduleParams,
  moduleRunRequest,
  moduleView,
  type ModuleView,
} from '../api/module-schemas.ts';
import { runView } from '../api/run-schemas.ts';
import type { SavedConfig } from '../modules/module-config.ts';
import type { ModuleDefinition } from '../modules/module-definition.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';

type Params = z.infer<typeof moduleParams>;

/** Modules: what there is, how it is set, and runs of it. */
export function moduleRoutes(app: FastifyInstance, { modules, runs, clock }: Services): void {
  const { registry, configs, tallies } = modules;

  async function viewOf({ id, ...module }: ModuleDefinition): Promise<ModuleView> {
    const { lastRun, ...tally } = await tallies.of(`module:${id}`);
    return {
      id,
      ...module,
      parameters: module.parameters.map((parameter) => ({
        ...parameter,
        options: parameter.options && [...parameter.options],
      })),
      ...tally,
      lastRun:
        lastRun === undefined
          ? null
          : {
              id: lastRun.id,
              state: lastRun.state,
              createdAt: toIso(lastRun.createdAt),
              durationMs:
                lastRun.startedAt === undefined
                  ? null
                  : Math.max(0, (lastRun.endedAt ?? clock.wallTime()) - lastRun.startedAt),
            },
    };
  }

  app.get(
    '/v1/modules',
    {
      schema: {
        summary: 'List the modules, and what is wrong with definitions.',
        response: { 200: modulePage },
      },
      config: { role: 'read' },
    },
    async () => {
      const catalogue = await registry.catalogue();
      return {
        modules: await Promise.all(catalogue.modules.map(viewOf)),
        nextCursor: null,
        faults: catalogue.faults,
      };
    },
  );

  app.get<{ Params: Params }>(
    '/v1/modules/:id',
    {
      schema: {
        summary: 'Show a module with its parameters.',
        params: moduleParams,
        response: { 200: moduleView, ...problemAnswers(404) },
      },
      config: { role: 'read' },
    },
    async ({ params }) => viewOf(await registry.get(params.id)),
  );

  app.get<{ Params: Params }>(
    '/v1/modules/:id/config',
    {
      schema: {
        summary: 'What the next run of a module starts from.',
        params: moduleParams,
        response: { 200: moduleConfig, ...problemAnswers(404) },
      },
      config: { role: 'read' },
    },
    async ({ params }) => {
      const module = await registry.get(params.id);
      return configView(module, await configs.read(module));
    },
  );

  app.put<{ Params: Params; Body: z.infer<typeof moduleConfigRequest> }>(
    '/v1/modules/:id/config',
    {
      schema: {
        summary: 'Save parameters for the next runs of a module; passwords are refused.',
        params: moduleParams,
        body: moduleConfigRequest,
        response: { 200: moduleConfig, ...problemAnswers(400, 404, 413, 415, 422) },
      },
      config: { role: 'run' },
    },
    async ({ params, body }) => {
      const module = await registry.get(params.id);
      return configView(module, await configs.save(module, body.parameters));
    },
  );

  app.delete<{ Params: Params }>(
    '/v1/modules/:id/config',
    {
      schema: {
        summary: 'Forget what was saved for a module.',
        params: moduleParams,
        response: {
          204: { type: 'null', description: 'Nothing is saved any more.' },
          ...problemAnswers(404),
        },
      },
      config: { role: 'run' },
    },
    async ({ params }, reply) => {
      await configs.remove((await registry.get(params.id)).id);
      return reply.status(204).send();
    },
  );

  app.post<{ Params: Params; Body: z.infer<typeof moduleRunRequest> }>(
    '/v1/modules/:id/runs',
    {
      schema: {
        summary: 'Run a module.',
        params: moduleParams,
        body: moduleRunRequest,
        response: { 202: runView, ...problemAnswers(400, 404, 413, 415, 422, 503) },
      },
      config: { role: 'run' },
    },
    async ({ params, body }, reply) => {
      const { parameters: given, saveConfig } = body;
      const module = await registry.get(params.id);
      const saved = await configs.read(module);
      const parameters = { ...saved.parameters, ...given };
      const { run } = await runs.submit({ module: { id: module.id, parameters } });
      if (saveConfig) {
        const passwords = new Set(
          module.parameters.filter(({ type }) => type === 'password').map(({ name }) => name),
        );
        await configs.save(
          module,
          Object.fromEntries(Object.entries(parameters).filter(([name]) => !passwords.has(name))),
        );
      }
      return reply.status(202).header('location', run.links.self).send(run);
    },
  );
}

function configView({ parameters }: ModuleDefinition, saved: SavedConfig): z.infer<typeof moduleConfig> {
  const defaults = parameters.flatMap(({ name, default: value }) => (value === null ? [] : [[name, value]]));
  return {
    parameters: { ...Object.fromEntries(defaults), ...saved.parameters },
    updatedAt: toIso(saved.updatedAt),
  };
}
