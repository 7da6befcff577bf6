/** One stage of a Dockerfile. */
export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly steps: readonly { readonly word: string; readonly rest: string }[];
}

/** The stages of a Dockerfile: each instruction on a line, continued by a backslash. @throws on a line that is none */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text.replaceAll(/\\\n/g, ' ').split('\n');
  const instructions = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const stages: { name: string; base: string; steps: { word: string; rest: string }[] }[] = [];
  for (const line of instructions) {
    const [, word = '', rest = ''] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (word === '') throw new Error(`No instruction: ${line}`);
    const [, base = '', name = ''] = word === 'FROM' ? (/^(\S+) AS (\S+)$/.exec(rest) ?? []) : [];
    if (word === 'FROM') stages.push({ name, base, steps: [] });
    else stages.at(-1)?.steps.push({ word, rest: rest.replaceAll(/ +/g, ' ') });
  }
  return stages;
}

/** What follows an instruction, each time it is given. */
export function stepsIn(stage: Stage | undefined, word: string): readonly string[] {
  return (stage?.steps ?? []).filter((step) => step.word === word).map(({ rest }) => rest);
}

/** The variables that a stage sets. */
export function environmentOf(stage: Stage | undefined): Readonly<Record<string, string>> {
  const pairs = stepsIn(stage, 'ENV').flatMap((rest) => rest.split(' '));
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
}
