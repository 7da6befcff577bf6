import { Argument, type Command } from 'commander';
import { print, printJson } from '../output.ts';
import { completionScripts, type Shell } from '../completion-scripts.ts';
import { withExamples } from '../service-command.ts';

interface CompletionOptions {
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(completionScripts)))
    .option('--json', 'print it as one JSON document');
  withExamples(
    command,
    'source <(pawl completion bash)      # in ~/.bashrc',
    'source <(pawl completion zsh)       # in ~/.zshrc, after compinit',
    'pawl completion fish > ~/.config/fish/completions/pawl.fish',
  ).action((shell: Shell, { json = false }: CompletionOptions) => {
    const script = completionScripts[shell];
    if (json) printJson({ shell, script });
    else print(script.trimEnd());
  });
}
