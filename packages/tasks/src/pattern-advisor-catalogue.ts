/** The six ways to run work in the background. */
export type PatternName = (typeof patternNames)[number];

export const patternNames = [
  'simple',
  'long-running',
  'concurrent',
  'fire-and-forget',
  'periodic',
  'pooled',
] as const;

/** What is known of a pattern, for people. */
export interface PatternExplanation {
  readonly name: PatternName;
  /** The function it begins with. */
  readonly entry: string;
  readonly useWhen: string;
  readonly benefits: readonly string[];
  readonly limitations: readonly string[];
  /** A few lines of code. */
  readonly example: string;
}

/** One line of the comparison. */
export interface PatternComparison {
  readonly name: PatternName;
  readonly entry: string;
  readonly answers: string;
  readonly output: string;
  readonly atOnce: string;
  readonly keptAfterRestart: string;
  readonly cancel: string;
}

/** What the advisor says and the documentation shows. */
export const catalogue: Readonly<Record<PatternName, PatternExplanation & PatternComparison>> = {
  simple: {
    name: 'simple',
    entry: 'runModule',
    useWhen: 'A script runs for up to a minute and all of its output is wanted at its end.',
    benefits: ['One call, one answer: exit code and both streams.', 'Nothing is left to clean up.'],
    limitations: [
      'Nothing is seen before the end.',
      'The output is held in memory.',
      'Each run starts a process.',
    ],
    example: "const { exitCode, stdout } = await runModule('report.py', ['--month', '3']);",
    answers: 'at the end',
    output: 'whole, at the end',
    atOnce: 'as many as are called',
    keptAfterRestart: 'no',
    cancel: 'signal, timeout',
  },
  'long-running': {
    name: 'long-running',
    entry: 'startModule',
    useWhen: 'A script runs for more than a minute, or its output is wanted while it runs.',
    benefits: [
      'Lines arrive as they are printed, and can be read again from any place.',
      'Memory stays flat however much is printed.',
    ],
    limitations: ['Somebody has to watch it.', 'It ends with its host.'],
    example:
      "const run = startModule('train.py');\nfor await (const line of run.output.follow()) show(line);",
    answers: 'at once, with a handle',
    output: 'live, replayed, in a file',
    atOnce: 'as many as are started',
    keptAfterRestart: 'the output',
    cancel: 'cancel()',
  },
  concurrent: {
    name: 'concurrent',
    entry: 'createConcurrentRunner',
    useWhen: 'Many scripts are to run and the machine can only bear some of them at a time.',
    benefits: [
      'A bound that holds, in the order of the items.',
      'One failure leaves the others alone; each has its report.',
      'New ones are refused while the machine is short of memory or processors, if asked.',
    ],
    limitations: ['The list is known from the start.', 'Each run starts a process.'],
    example: 'const reports = await createConcurrentRunner().runAll(items);',
    answers: 'when all have ended',
    output: 'whole, per item',
    atOnce: '10, or as set',
    keptAfterRestart: 'no',
    cancel: 'signal, per-item timeout',
  },
  'fire-and-forget': {
    name: 'fire-and-forget',
    entry: 'createRunTracker',
    useWhen: 'Nobody waits for the result, but somebody will ask what became of it.',
    benefits: [
      'The answer is an id, given once the run is stored.',
      'Retries, priorities and cancel; what a crash interrupts is found again.',
    ],
    limitations: [
      'The result has to be fetched.',
      'Work may be tried twice after a crash: make it idempotent.',
    ],
    example: "const run = await tracker.start({ task: 'send-mail', input: { to: 'ada' } });",
    answers: 'at once, with an id',
    output: 'kept with the run',
    atOnce: 'bounded, the rest is queued',
    keptAfterRestart: 'yes, with a store on disk',
    cancel: 'cancel(id)',
  },
  periodic: {
    name: 'periodic',
    entry: 'createPeriodicTasks',
    useWhen: 'The same work is to happen again and again, by an interval or a calendar.',
    benefits: [
      'An error never ends it.',
      'What overlaps, what was missed and what the clocks do in spring is decided, not accidental.',
    ],
    limitations: ['It lives as long as the process; a scheduler with a store outlives it.'],
    example: "tasks.register('report', { cron: '30 2 * * *', timeZone: 'Europe/Berlin' }, makeReport);",
    answers: 'never',
    output: 'of the work itself',
    atOnce: 'one, or by overlap policy',
    keptAfterRestart: 'by a scheduler with a store',
    cancel: 'stopAll()',
  },
  pooled: {
    name: 'pooled',
    entry: 'createResourcePool',
    useWhen: 'Runs come more than ten times a minute, and most of their time would be spent on starting.',
    benefits: ['Warm processes, connections and the like are used again.', 'Never more than the bound.'],
    limitations: ['What one use leaves behind, the next one finds.', 'Idle resources cost memory.'],
    example: "const answer = await pool.use((worker) => worker.run('resize', { width: 80 }));",
    answers: 'at the end',
    output: 'the result',
    atOnce: '10, or as set',
    keptAfterRestart: 'no',
    cancel: 'signal, acquire timeout',
  },
};
