import { Argument, type Command } from 'commander';
import { print } from '../output.ts';
import { completionScripts, type Shell } from '../completion-scripts.ts';
import { withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(completionScripts)));
  withExamples(
    command,
    'source <(pawl completion bash)      # in ~/.bashrc',
    'source <(pawl completion zsh)       # in ~/.zshrc, after compinit',
    'pawl completion fish > ~/.config/fish/completions/pawl.fish',
  ).action((shell: Shell) => print(completionScripts[shell].trimEnd()));
}
