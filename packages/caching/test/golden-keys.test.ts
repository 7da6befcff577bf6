import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** What they were when the encoding was fixed. Should one differ, every stored key is lost: then a new encoding is due. */
const KEYS = {
  numbers: 'cb2642717e96ad03eab5376c2bc98c87e96056116b5078e83a9057ef6524ac81',
  texts: '1e44796a3df90b48992a5961bcb6252bfe425d9af0ffbc533dcea078e3b0d51c',
  nothings: '2bb16314e28c6509acd764c8cb5a3cc7c8237d356bc9b11b3831841dd8ac683a',
  order: '0f07ce0a3bf5789218b0c148cbefbe1555a7512d1cf58c2e006e99746db28d4c',
  collections: '26f5630312ba0df24032fee28331b73c8542552abe271ade0f68e0199897bd9b',
  moments: '056f16c813054086ea7ea06a07d82f488ef661b52b7f3b997568ba55ab9ad5e5',
  bytes: '994620a9ee9e0d7872a5027c0bc61a91168eac8c15bd22175f31335f08bbe8c5',
  pattern: 'deabf79d0d2e79f5d1e41ecfb78745f9e3fbf6960243c7c22acefeec440436cf',
  task: '427f784b43af7c4b005ebea42097db637e6f03667904d9d27668d3a053a3336f',
};

const PROGRAM = new URL('fixtures/golden-values.mjs', import.meta.url).pathname;

describe('the keys of values of every kind', () => {
  // The suite runs on several versions of Node, so these hold for each of them.
  it.each([
    ['as ever', {}],
    [
      'in another language and time zone',
      { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' },
    ],
    ['with an environment in another order', { ZZZ: '1', AAA: '2' }],
  ])('are %s', async (_how, env) => {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, '--print'], {
      env: { PATH: process.env['PATH'], ...env },
    });
    expect(JSON.parse(stdout)).toEqual(KEYS);
  });
});
