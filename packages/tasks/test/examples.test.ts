import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resizeAll } from '../examples/batch-with-clean-up.ts';
import { trainAndNotify } from '../examples/long-run-with-notification.ts';
import { countWords } from '../examples/pooled-and-concurrent.ts';
import { setupScripts } from './setup-scripts.ts';

describe('the worked examples', () => {
  it('a batch with a clean-up', async () => {
    const { folder } = setupScripts();
    const { reports, cleanUp } = await resizeAll(['sun', 'broken', 'moon'], folder);
    expect(reports.map(({ id, reason, stdout }) => [id, reason ?? stdout])).toEqual([
      ['sun', 'resized sun\n'],
      ['broken', 'Exited with code 1: error: broken is no picture'],
      ['moon', 'resized moon\n'],
    ]);
    expect(cleanUp).toMatchObject({ state: 'succeeded', result: { lastLines: ['removed 3 files'] } });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a long run with a notification', async () => {
    const said: string[] = [];
    await trainAndNotify((text) => void said.push(text));
    expect(said).toEqual([
      'WARNING: warning: the loss is not falling',
      'ended with exit code 0: epoch 2 done',
    ]);
  });

  it('pooled and concurrent', async () => {
    const texts = Array.from({ length: 200 }, (_, index) => `the ${'word '.repeat(index)}of a line`);
    expect(await countWords(texts)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });
});
