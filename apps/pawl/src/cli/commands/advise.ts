import {
  advisePattern,
  comparePatterns,
  explainPattern,
  type PatternName,
  type WorkTraits,
} from '@pawl/tasks';
import { type Command, Option } from 'commander';
import { print, printJson } from '../output.ts';
import { parseCount, parseDuration } from '../quantities.ts';
import { withExamples } from '../service-command.ts';
import { formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';

interface AdviseOptions {
  readonly duration?: number;
  readonly live?: boolean;
  readonly concurrent?: number;
  readonly forget?: boolean;
  readonly recurring?: boolean;
  readonly perMinute?: number;
  readonly explain?: PatternName;
  readonly compare?: boolean;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .option('--duration <duration>', 'how long one run takes, such as 90s', parseDuration)
    .option('--live', 'its output is wanted while it runs')
    .option('--concurrent <count>', 'runs that are wanted together', parseCount(1))
    .option('--forget', 'nobody waits for the result')
    .option('--recurring', 'it happens again and again by itself')
    .option('--per-minute <count>', 'how often it is called', parseCount(0))
    .addOption(
      new Option('--explain <pattern>', 'what a pattern is for, what it gives and what it costs').choices(
        comparePatterns().map(({ name }) => name),
      ),
    )
    .addOption(new Option('--compare', 'all patterns side by side').conflicts('explain'))
    .option('--json', 'print the answer as one JSON document');
  withExamples(
    command,
    'pawl advise --duration 5m --live',
    'pawl advise --per-minute 120',
    'pawl advise --explain pooled',
    'pawl advise --compare',
  ).action((options: AdviseOptions) => {
    const { json = false, compare = false, explain } = options;
    if (compare) printComparison(json);
    else if (explain !== undefined) printExplanation(explain, json);
    else printAdvice(traitsOf(options), json);
  });
}

function traitsOf({ duration, live, concurrent, forget, recurring, perMinute }: AdviseOptions): WorkTraits {
  return {
    ...(duration === undefined ? {} : { expectedDurationMs: duration }),
    ...(live === undefined ? {} : { needsLiveOutput: live }),
    ...(concurrent === undefined ? {} : { concurrentRuns: concurrent }),
    ...(forget === undefined ? {} : { needsResult: !forget }),
    ...(recurring === undefined ? {} : { recurring }),
    ...(perMinute === undefined ? {} : { runsPerMinute: perMinute }),
  };
}

function printAdvice(traits: WorkTraits, json: boolean): void {
  const advice = advisePattern(traits);
  if (json) {
    printJson(advice);
    return;
  }
  const { colors } = terminalOf(process.stdout);
  print(colors.bold(advice.pattern), ...advice.reasons.map((reason) => `  ${reason}`));
  if (advice.runnersUp.length > 0) print('', 'What would fit, too:');
  for (const { pattern, reason } of advice.runnersUp) print(`  ${pattern}: ${reason}`);
  print('', `\`pawl advise --explain ${advice.pattern}\` says more.`);
}

function printExplanation(name: PatternName, json: boolean): void {
  const explanation = explainPattern(name);
  if (json) {
    printJson(explanation);
    return;
  }
  const { colors } = terminalOf(process.stdout);
  const { entry, useWhen, benefits, limitations, example } = explanation;
  print(`${colors.bold(name)} (${entry})`, ...indent([useWhen]), '', 'What it gives:', ...indent(benefits));
  print('', 'What it costs:', ...indent(limitations), '', 'In code:', ...indent(example.split('\n')));
}

function printComparison(json: boolean): void {
  const patterns = comparePatterns();
  if (json) {
    printJson({ patterns });
    return;
  }
  type Pattern = (typeof patterns)[number];
  const columns = [
    { title: 'PATTERN', value: ({ name }: Pattern) => name },
    { title: 'ANSWERS', value: ({ answers }: Pattern) => answers, shrinks: true },
    { title: 'OUTPUT', value: ({ output }: Pattern) => output, shrinks: true },
    { title: 'AT ONCE', value: ({ atOnce }: Pattern) => atOnce, shrinks: true },
    { title: 'AFTER A RESTART', value: ({ keptAfterRestart }: Pattern) => keptAfterRestart, shrinks: true },
    { title: 'CANCEL', value: ({ cancel }: Pattern) => cancel, shrinks: true },
  ];
  print(...formatTable(columns, patterns, terminalOf(process.stdout)));
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
