import type { SandboxKind } from '@pawl/python';
import type { Command } from 'commander';
import { type Config, readConfig } from '../../config.ts';
import { REMEDY } from '../../python/sandbox-state.ts';
import { checkDataFolder, checkStore } from '../checkup/data.ts';
import type { Finding } from '../checkup/finding.ts';
import { checkNode, checkPython, checkSandbox, SANDBOXES } from '../checkup/programs.ts';
import { checkService } from '../checkup/service.ts';
import { exitCodes } from '../exit-codes.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { type Terminal, terminalOf } from '../terminal.ts';

interface Diagnosis {
  /** Whether a service here would do all of its work. */
  readonly ready: boolean;
  readonly findings: readonly Finding[];
  /** What programs would run in. */
  readonly sandbox: SandboxKind | null;
}

export function define(command: Command): void {
  withExamples(serviceCommand(command), 'pawl doctor', 'pawl doctor --json').action(
    async (options: ServiceOptions) => {
      const diagnosis = await diagnose(readConfig(process.env), options);
      if (options.json === true) printJson(diagnosis);
      else print(...describe(diagnosis, terminalOf(process.stdout)));
      process.exitCode = diagnosis.ready ? exitCodes.ok : exitCodes.unavailable;
    },
  );
}

async function diagnose(config: Config, options: ServiceOptions): Promise<Diagnosis> {
  const findings: Finding[] = [checkNode(), await checkPython(config)];
  let sandbox: SandboxKind | null = null;
  for (const { kind, tier } of SANDBOXES) {
    const finding = await checkSandbox(kind, tier, config);
    if (finding.ok && tier <= config.minSandboxTier) sandbox ??= kind;
    findings.push(finding);
  }
  if (config.allowUnsandboxed) sandbox ??= 'none';
  const data = [await checkDataFolder(config), await checkStore(config)];
  findings.push(...data, await checkService(clientOf(options)));
  return { ready: sandbox !== null && data.every(({ ok }) => ok), findings, sandbox };
}

function describe({ findings, sandbox }: Diagnosis, { colors }: Terminal): readonly string[] {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, ok, detail, remedy }) => {
    const mark = ok ? colors.green('ok     ') : colors.yellow('missing');
    const line = `${mark}  ${name.padEnd(width)}  ${detail}`;
    return remedy === null ? [line] : [line, `${' '.repeat(width + 11)}${remedy}`];
  });
  return [...lines, '', verdict(sandbox)];
}

function verdict(sandbox: SandboxKind | null): string {
  if (sandbox === null) return `Programs can't be run. ${REMEDY}`;
  return sandbox === 'none'
    ? 'Programs run without a sandbox, because PAWL_ALLOW_UNSANDBOXED is 1.'
    : `Programs run in the sandbox ${sandbox}.`;
}
