import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_PYTHON } from './processes.ts';
import { type Answer, type Service, startService } from './start-service.ts';

/** Another output each time it runs. */
const RANDOM = 'import uuid\nprint(uuid.uuid4())';

describe.skipIf(NO_PYTHON)(`POST /execute with \`cache\`${NO_PYTHON}`, () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.dispose());

  const execute = async (code: string, cache?: string): Promise<Answer & { cached?: boolean }> => {
    const response = await service.post({ code, ...(cache === undefined ? {} : { cache }) });
    expect(response.status).toBe(200);
    return (await response.json()) as Answer & { cached?: boolean };
  };

  it('runs a program anew unless it is told otherwise', async () => {
    const answers = [await execute(RANDOM), await execute(RANDOM), await execute(RANDOM, 'off')];
    expect(new Set(answers.map(({ output }) => output)).size).toBe(3);
    expect(answers.map((answer) => 'cached' in answer)).toEqual([false, false, false]);
  });

  it('uses a stored result, and refreshes it', async () => {
    const code = `${RANDOM}\n# used`;
    const first = await execute(code, 'use');
    const second = await execute(code, 'use');
    const refreshed = await execute(code, 'refresh');
    const third = await execute(code, 'use');
    expect([first, second, refreshed, third].map(({ cached }) => cached)).toEqual([false, true, false, true]);
    expect(second.output).toBe(first.output);
    expect(refreshed.output).not.toBe(first.output);
    expect(third.output).toBe(refreshed.output);
  });

  it('runs a program that failed again', async () => {
    const code = `${RANDOM}\nraise SystemExit(3)`;
    const [first, second] = [await execute(code, 'use'), await execute(code, 'use')];
    expect([first.cached, second.cached, second.success]).toEqual([false, false, false]);
    expect(second.output).not.toBe(first.output);
  });
});
