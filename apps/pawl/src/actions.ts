/** A screen of the dashboard. */
export type Screen =
  | 'now'
  | 'runs'
  | 'run'
  | 'modules'
  | 'schedules'
  | 'workers'
  | 'playground'
  | 'patterns'
  | 'system';

/** One thing that users can do with Pawl, and where. `null` says that it is not to be had there. */
export interface Action {
  /** `<noun>.<verb>`. What does or shows it in the dashboard says `data-action="<this>"`, or hands `action` on. */
  readonly action: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | null;
  /** As in the OpenAPI document. */
  readonly path: string | null;
  /** Without `pawl`; an option is named where only that makes the command do it. */
  readonly command: string | null;
  readonly screen: Screen | null;
}

type Row = readonly [
  action: string,
  method: Action['method'],
  path: string | null,
  command: string | null,
  screen: Screen | null,
];

const ROWS: readonly Row[] = [
  // Programs and scripts
  ['program.execute', 'POST', '/execute', 'exec', 'playground'],
  ['exercise.list', 'GET', '/v1/exercises', 'exercise ls', 'playground'],
  ['exercise.show', 'GET', '/v1/exercises/{id}', 'exercise show', 'playground'],
  ['script.run', null, null, 'run', null],

  // Runs
  ['run.submit', 'POST', '/v1/runs', 'submit', 'patterns'],
  ['run.submit-batch', 'POST', '/v1/runs/batch', 'submit --batch', 'patterns'],
  ['run.list', 'GET', '/v1/runs', 'ls', 'runs'],
  ['run.counts', 'GET', '/v1/runs/counts', 'ls --counts', 'now'],
  ['run.show', 'GET', '/v1/runs/{id}', 'show', 'run'],
  ['run.wait', 'GET', '/v1/runs/{id}/wait', 'submit --wait', null],
  ['run.cancel', 'POST', '/v1/runs/{id}/cancel', 'cancel', 'run'],
  ['run.retry', 'POST', '/v1/runs/{id}/retry', 'retry', 'run'],
  ['run.remove', 'DELETE', '/v1/runs/{id}', 'rm', 'run'],
  ['log.tail', 'GET', '/v1/runs/{id}/logs', 'logs', null],
  ['log.follow', 'GET', '/v1/runs/{id}/logs/stream', 'logs --follow', 'run'],
  ['log.download', 'GET', '/v1/runs/{id}/logs/download', 'logs --raw', 'run'],

  // Modules
  ['module.list', 'GET', '/v1/modules', 'module ls', 'modules'],
  ['module.show', 'GET', '/v1/modules/{id}', 'module show', 'modules'],
  ['module.run', 'POST', '/v1/modules/{id}/runs', 'module run', 'modules'],
  ['module.show-config', 'GET', '/v1/modules/{id}/config', 'module config', 'modules'],
  ['module.save-config', 'PUT', '/v1/modules/{id}/config', 'module config --set', 'modules'],
  ['module.clear-config', 'DELETE', '/v1/modules/{id}/config', 'module config --clear', 'modules'],

  // Schedules
  ['schedule.list', 'GET', '/v1/schedules', 'schedule ls', 'schedules'],
  ['schedule.create', 'POST', '/v1/schedules', 'schedule add', 'schedules'],
  ['schedule.show', 'GET', '/v1/schedules/{id}', 'schedule show', 'schedules'],
  ['schedule.replace', 'PUT', '/v1/schedules/{id}', 'schedule add --replace', 'schedules'],
  ['schedule.remove', 'DELETE', '/v1/schedules/{id}', 'schedule rm', 'schedules'],
  ['schedule.pause', 'POST', '/v1/schedules/{id}/pause', 'schedule pause', 'schedules'],
  ['schedule.resume', 'POST', '/v1/schedules/{id}/resume', 'schedule resume', 'schedules'],
  ['schedule.run', 'POST', '/v1/schedules/{id}/run', 'schedule run', 'schedules'],
  ['schedule.skip-next', 'POST', '/v1/schedules/{id}/skip-next', 'schedule skip-next', 'schedules'],
  ['schedule.undo-skip', 'DELETE', '/v1/schedules/{id}/skip-next', 'schedule skip-next --undo', 'schedules'],
  ['schedule.backfill', 'POST', '/v1/schedules/{id}/backfill', 'schedule backfill', 'schedules'],
  ['schedule.preview', 'GET', '/v1/schedules/{id}/preview', 'schedule preview', 'schedules'],
  ['schedule.preview-draft', 'POST', '/v1/schedules/preview', 'schedule preview --cron', 'schedules'],

  // Workers
  ['pool.list', 'GET', '/v1/pools', 'pool ls', 'workers'],
  ['pool.scale', 'POST', '/v1/pools/{name}/scale', 'pool scale', 'workers'],
  ['pool.recycle', 'POST', '/v1/pools/{name}/recycle', 'pool recycle', 'workers'],
  ['worker.list', 'GET', '/v1/workers', 'worker ls', 'workers'],
  ['worker.recycle', 'POST', '/v1/workers/{id}/recycle', 'worker recycle', 'workers'],
  ['worker.drain', 'POST', '/v1/workers/{id}/drain', 'worker drain', 'workers'],

  // Maintenance
  ['maintenance.list', 'GET', '/v1/maintenance', 'maintenance ls', 'system'],
  ['maintenance.run', 'POST', '/v1/maintenance/{job}', 'maintenance run', 'system'],

  // Advisor
  ['advisor.recommend', 'POST', '/v1/advisor/recommend', 'advise', 'patterns'],
  ['advisor.compare', 'GET', '/v1/advisor/patterns', 'advise --compare', 'patterns'],
  ['advisor.explain', 'GET', '/v1/advisor/patterns/{name}', 'advise --explain', 'patterns'],

  // The service and this machine
  ['system.show', 'GET', '/v1/system', 'doctor', 'system'],
  ['system.settings', 'GET', '/v1/settings', 'settings', 'system'],
  ['system.sandbox', 'GET', '/system/sandbox', 'doctor', 'system'],
  ['system.health', 'GET', '/health', 'doctor', null],
  ['system.live', 'GET', '/health/live', null, null],
  ['system.ready', 'GET', '/health/ready', null, null],
  ['system.metrics', 'GET', '/metrics', null, null],
  ['event.follow', 'GET', '/v1/events', 'ls --follow', 'now'],
  ['service.serve', null, null, 'serve', null],
  ['service.describe', 'GET', '/openapi.json', 'openapi', null],
  ['service.measure', null, null, 'bench', null],

  // Who may do what: a file on the machine of the service, which no client may change
  ['token.create', null, null, 'token create', null],
  ['token.list', null, null, 'token ls', null],
  ['token.remove', null, null, 'token rm', null],

  ['completion.print', null, null, 'completion', null],
];

/** Everything that users can do. A test holds HTTP, the command and the dashboard to it. */
export const actions: readonly Action[] = ROWS.map(([action, method, path, command, screen]) => ({
  action,
  method,
  path,
  command,
  screen,
}));
