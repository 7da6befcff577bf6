import type { Command } from 'commander';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Not in the help: for programs. */
  readonly isHidden?: boolean;
  /** Adds arguments, options, examples and the action. */
  readonly load: () => Promise<{ readonly define: (command: Command) => void }>;
}

/** A command that only holds others. */
export interface GroupEntry {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandEntry[];
}

export type TableEntry = CommandEntry | GroupEntry;

/** All commands, in the order of the help. */
export const commandTable: readonly {
  readonly title: string;
  readonly commands: readonly TableEntry[];
}[] = [
  {
    title: 'Here, without a service',
    commands: [
      {
        name: 'run',
        summary: 'run a script; its output is streamed and its exit code mirrored',
        load: () => import('./commands/run.ts'),
      },
      {
        name: 'exec',
        summary: 'run a Python program in the sandbox, and its tests; the exit code mirrors the outcome',
        load: () => import('./commands/exec.ts'),
      },
      {
        name: 'advise',
        summary: 'tell which pattern of background work fits',
        load: () => import('./commands/advise.ts'),
      },
      {
        name: 'doctor',
        summary: 'show what is here and what to install: node, python, sandboxes, data, service',
        load: () => import('./commands/doctor.ts'),
      },
      {
        name: 'bench',
        summary: 'measure Pawl on this machine, in some seconds',
        load: () => import('./commands/bench.ts'),
      },
    ],
  },
  {
    title: 'Runs of the service',
    commands: [
      {
        name: 'submit',
        summary: 'hand a script, command, module or Python program to the service',
        load: () => import('./commands/submit.ts'),
      },
      { name: 'ls', summary: 'list runs, the newest first', load: () => import('./commands/ls.ts') },
      { name: 'show', summary: 'show a run and its attempts', load: () => import('./commands/show.ts') },
      { name: 'logs', summary: 'print what a run printed', load: () => import('./commands/logs.ts') },
      { name: 'cancel', summary: 'cancel runs', load: () => import('./commands/cancel.ts') },
      { name: 'retry', summary: 'run again what has ended', load: () => import('./commands/retry.ts') },
      {
        name: 'rm',
        summary: 'forget runs that have ended, and their logs',
        load: () => import('./commands/rm.ts'),
      },
    ],
  },
  {
    title: 'What the service keeps',
    commands: [
      {
        name: 'exercise',
        summary: 'tasks for learners, with tests that judge them',
        commands: [
          { name: 'ls', summary: 'list exercises', load: () => import('./commands/exercise-ls.ts') },
          {
            name: 'show',
            summary: 'show an exercise and what the learner begins with',
            load: () => import('./commands/exercise-show.ts'),
          },
        ],
      },
      {
        name: 'module',
        summary: 'scripts with described parameters',
        commands: [
          { name: 'ls', summary: 'list modules', load: () => import('./commands/module-ls.ts') },
          {
            name: 'show',
            summary: 'show a module and its parameters',
            load: () => import('./commands/module-show.ts'),
          },
          { name: 'run', summary: 'run a module', load: () => import('./commands/module-run.ts') },
          {
            name: 'config',
            summary: 'show, save or clear the parameters that a module starts with',
            load: () => import('./commands/module-config.ts'),
          },
        ],
      },
      {
        name: 'schedule',
        summary: 'runs at fixed times',
        commands: [
          { name: 'ls', summary: 'list schedules', load: () => import('./commands/schedule-ls.ts') },
          { name: 'add', summary: 'add a schedule', load: () => import('./commands/schedule-add.ts') },
          { name: 'show', summary: 'show a schedule', load: () => import('./commands/schedule-show.ts') },
          { name: 'rm', summary: 'remove a schedule', load: () => import('./commands/schedule-rm.ts') },
          {
            name: 'pause',
            summary: 'let a schedule start nothing for now',
            load: () => import('./commands/schedule-pause.ts'),
          },
          {
            name: 'resume',
            summary: 'let a paused schedule go on',
            load: () => import('./commands/schedule-resume.ts'),
          },
          {
            name: 'run',
            summary: 'run now what a schedule stands for',
            load: () => import('./commands/schedule-run.ts'),
          },
          {
            name: 'skip-next',
            summary: 'leave out the next run',
            load: () => import('./commands/schedule-skip-next.ts'),
          },
          {
            name: 'preview',
            summary: 'show when a schedule will run, saved or not',
            load: () => import('./commands/schedule-preview.ts'),
          },
          {
            name: 'backfill',
            summary: 'run what a span of the past has missed',
            load: () => import('./commands/schedule-backfill.ts'),
          },
        ],
      },
      {
        name: 'pool',
        summary: 'worker processes kept warm',
        commands: [
          { name: 'ls', summary: 'list pools', load: () => import('./commands/pool-ls.ts') },
          { name: 'scale', summary: 'set how many workers', load: () => import('./commands/pool-scale.ts') },
          {
            name: 'recycle',
            summary: 'replace every worker, without losing a run',
            load: () => import('./commands/pool-recycle.ts'),
          },
        ],
      },
      {
        name: 'worker',
        summary: 'processes that work at the moment',
        commands: [
          { name: 'ls', summary: 'list processes', load: () => import('./commands/worker-ls.ts') },
          {
            name: 'recycle',
            summary: 'replace one worker',
            load: () => import('./commands/worker-recycle.ts'),
          },
          {
            name: 'drain',
            summary: 'let one worker finish its run and end; replace it only if too few are left',
            load: () => import('./commands/worker-drain.ts'),
          },
        ],
      },
      {
        name: 'maintenance',
        summary: 'jobs that keep the service tidy',
        commands: [
          { name: 'ls', summary: 'list jobs', load: () => import('./commands/maintenance-ls.ts') },
          { name: 'run', summary: 'run a job now', load: () => import('./commands/maintenance-run.ts') },
        ],
      },
    ],
  },
  {
    title: 'The service itself',
    commands: [
      { name: 'serve', summary: 'start the HTTP service', load: () => import('./commands/serve.ts') },
      {
        name: 'settings',
        summary: 'show the settings in force',
        load: () => import('./commands/settings.ts'),
      },
      {
        name: 'openapi',
        summary: 'print the description of the service (OpenAPI 3.1)',
        load: () => import('./commands/openapi.ts'),
      },
      {
        name: 'token',
        summary: 'who may use the service, and for what',
        commands: [
          {
            name: 'create',
            summary: 'make a token and print it, this once',
            load: () => import('./commands/token-create.ts'),
          },
          { name: 'ls', summary: 'list tokens', load: () => import('./commands/token-ls.ts') },
          { name: 'rm', summary: 'take a token back', load: () => import('./commands/token-rm.ts') },
        ],
      },
    ],
  },
  {
    title: 'Your shell',
    commands: [
      {
        name: 'completion',
        summary: 'print what makes a shell complete this command',
        load: () => import('./commands/completion.ts'),
      },
      {
        name: 'complete',
        summary: 'print what the last word could become; for the scripts of `pawl completion`',
        isHidden: true,
        load: () => import('./commands/complete.ts'),
      },
    ],
  },
];
