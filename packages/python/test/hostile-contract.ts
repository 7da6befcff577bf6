import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLeakCheck } from '@pawl/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPythonRunner, type PythonRunner } from '../src/index.ts';
import {
  type HostileProgram,
  ISOLATION_PROGRAMS,
  LIFE_PROGRAMS,
  OUTPUT_PROGRAMS,
  RESOURCE_PROGRAMS,
  SOURCE_PROGRAMS,
} from './hostile-programs.ts';

/** Short, so that the many programs which would never end take little time. */
const LIMITS = {
  wallMs: 800,
  cpuMs: 800,
  processes: 16,
  outputBytes: 10_000,
  memoryBytes: 192 * 1024 * 1024,
};
/** Within which a limit must have been answered, whatever else this machine does. */
const PATIENCE_MS = 5_000;

export type RealSandbox = 'bubblewrap' | 'landlock';

/** Why a sandbox can't be tested here, if it can't. */
export async function obstacleTo(sandbox: RealSandbox): Promise<string | undefined> {
  await using runner = createPythonRunner({ sandbox });
  const obstacle = await runner.start().then(
    () => undefined,
    (error: unknown) => String(error),
  );
  return obstacle;
}

/**
 * Gives up root in this process for good. Each test file takes a user of its own: Landlock bounds the processes of a
 * user, so two files that run at a time would use up each other's.
 * @returns why it could not, if it could not
 */
export function becomeNobody(uid: number): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    process.setgroups?.([]);
    process.setgid?.(uid);
    process.setuid?.(uid);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** A title that says why its tests are skipped, if they are. */
export function titleOf(name: string, obstacle: string | undefined): string {
  return obstacle === undefined ? name : `${name} (not here: ${obstacle})`;
}

function userName(): string {
  return process.getuid?.() === 0 ? 'root' : 'an ordinary user';
}

/** Runs every hostile program in one sandbox, as the user that this process is. */
export function describeContainment(sandbox: RealSandbox, obstacle: string | undefined): void {
  describe.skipIf(obstacle !== undefined)(titleOf(`${sandbox}, as ${userName()}`, obstacle), () => {
    let runner: PythonRunner;
    let folder: string;
    let canary: Server;
    let visitors = 0;
    const leaks = createLeakCheck({ settleMs: 5_000 });

    beforeAll(async () => {
      process.env['PAWL_CANARY'] = 'pawl-canary-secret';
      folder = await mkdtemp(join(tmpdir(), 'pawl-canary-'));
      await writeFile(join(folder, 'secret'), 'pawl-canary-secret');
      canary = createServer((socket) => {
        visitors += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
      runner = createPythonRunner({ sandbox, maxConcurrent: 2, warm: 2 });
      await runner.start();
    });

    afterAll(async () => {
      delete process.env['PAWL_CANARY'];
      await runner.stop();
      await new Promise((resolve) => void canary.close(resolve));
      await rm(folder, { recursive: true });
      expect(visitors).toBe(0);
      await leaks.assertNoLeak();
    });

    const contains = (programs: readonly HostileProgram[]): void => {
      it.each(programs.map((program) => [program.title, program] as const))(
        'contains a program that %s',
        async (_title, { code, ends, prints, stdin }) => {
          const address = canary.address() as { readonly port: number };
          const source = code
            .replaceAll('CANARY_PORT', String(address.port))
            .replaceAll('CANARY_FILE', join(folder, 'secret'));
          const began = performance.now();
          const result = await runner.execute({ code: source, stdin, limits: LIMITS });
          const text = `${result.output}${result.errors}`;
          expect(text).not.toContain('OUT:');
          expect(text).not.toContain('pawl-canary-secret');
          expect([...ends], text.slice(-500)).toContain(result.status);
          expect(result.output).toContain(prints ?? '');
          expect(Buffer.byteLength(result.output)).toBeLessThan(LIMITS.outputBytes + 100);
          expect(result.success).toBe(result.status === 'ok');
          expect(performance.now() - began).toBeLessThan(PATIENCE_MS + LIMITS.wallMs);
          const next = await runner.execute({ code: 'print("still here")' });
          expect(next.output).toBe('still here');
        },
      );
    };

    contains(RESOURCE_PROGRAMS);
    contains(OUTPUT_PROGRAMS);
    contains(LIFE_PROGRAMS);
    contains(ISOLATION_PROGRAMS);
    contains(SOURCE_PROGRAMS);

    it('keeps a program from what an earlier one left', async () => {
      const program = ISOLATION_PROGRAMS.find((each) => each.title.startsWith('leaves something'));
      const results = [];
      for (let run = 0; run < 4; run += 1) {
        results.push((await runner.execute({ code: program?.code ?? '' })).output);
      }
      expect(results).toEqual(['tried', 'tried', 'tried', 'tried']);
    });

    it('is seen to contain everything by its own probe', async () => {
      const { kind, checks } = await runner.sandboxReport();
      expect(kind).toBe(sandbox);
      expect(checks.filter(({ contained }) => !contained)).toEqual([]);
      expect(checks).toHaveLength(6);
    });
  });
}
