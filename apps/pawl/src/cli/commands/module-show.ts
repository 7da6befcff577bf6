import type { Command } from 'commander';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { formatFields, formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';
import type { ModuleView } from '../../api/module-schemas.ts';

export function define(command: Command): void {
  command.argument('<module>', 'the id of a module');
  withExamples(serviceCommand(command), 'pawl module show report').action(
    async (id: string, options: ServiceOptions) => {
      const module = await clientOf(options).get<ModuleView>(route`/v1/modules/${id}`);
      if (options.json === true) printJson(module);
      else print(...describe(module));
    },
  );
}

type ParameterView = ModuleView['parameters'][number];

function describe({ id, name, description, script, parameters, runs }: ModuleView): readonly string[] {
  const terminal = terminalOf(process.stdout);
  const fields = formatFields(
    [
      ['module', id],
      ['name', name],
      ['description', description],
      ['script', script],
      ['runs', String(runs)],
    ],
    terminal,
  );
  if (parameters.length === 0) return [...fields, '', 'It takes no parameters.'];
  const columns = [
    { title: 'PARAMETER', value: ({ name: parameter }: ParameterView) => parameter },
    { title: 'TYPE', value: ({ type }: ParameterView) => type },
    { title: 'NEEDED', value: ({ required }: ParameterView) => (required ? 'yes' : 'no') },
    { title: 'DEFAULT', value: (parameter: ParameterView) => showValue(parameter.default), shrinks: true },
    { title: 'RULE', value: ruleOf, shrinks: true },
    { title: 'LABEL', value: ({ label }: ParameterView) => label ?? '', shrinks: true },
  ];
  return [...fields, '', ...formatTable(columns, parameters, terminal)];
}

function ruleOf({ options, min, max, pattern, visibleWhen }: ParameterView): string {
  const rules = [
    options === null ? null : `one of ${options.map(showValue).join(', ')}`,
    min === null ? null : `from ${min}`,
    max === null ? null : `up to ${max}`,
    pattern === null ? null : `matches ${pattern}`,
    visibleWhen === null ? null : `only when ${visibleWhen.field} is ${showValue(visibleWhen.equals)}`,
  ];
  return rules.filter((rule) => rule !== null).join(', ');
}

function showValue(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
