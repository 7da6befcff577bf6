import { type Client, route } from './client.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { ModuleView } from '../api/module-schemas.ts';

const SWITCHES: Readonly<Record<string, boolean>> = { true: true, yes: true, false: false, no: false };

/** What was typed as `name=value`, as the types that the module says. The service checks what they hold. */
export async function readParameters(
  client: Client,
  moduleId: string,
  typed: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  if (Object.keys(typed).length === 0) return {};
  return toTypedParameters(await client.get<ModuleView>(route`/v1/modules/${moduleId}`), typed);
}

/** As `readParameters`, of a module that is known. */
export function toTypedParameters(
  { parameters }: ModuleView,
  typed: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(typed).map(([name, text]) => {
      const parameter = parameters.find((each) => each.name === name);
      return [name, parameter === undefined ? text : toTyped(parameter, text)];
    }),
  );
}

function toTyped({ name, type }: ModuleView['parameters'][number], text: string): unknown {
  if (type === 'number') {
    if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
    throw new CommandError(exitCodes.usage, `Expected \`${name}\` to be a number, got \`${text}\``);
  }
  if (type === 'checkbox') {
    const value = SWITCHES[text];
    if (value !== undefined) return value;
    throw new CommandError(exitCodes.usage, `Expected \`${name}\` to be true or false, got \`${text}\``);
  }
  return text;
}
