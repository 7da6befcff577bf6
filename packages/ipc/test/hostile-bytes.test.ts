import { hasCode } from '@pawl/core';
import { describe, expect, it } from 'vitest';
import { introduce } from '@pawl/ipc';
import { setupByHand } from './connection-setup.ts';

const MALFORMED = 'protocol:malformed';
const UNKNOWN = 'protocol:unknown-response';

/** A line between two good ones, and what the connection says of it. */
const HOSTILE: readonly (readonly [
  what: string,
  bytes: string | Uint8Array,
  ...events: readonly string[],
])[] = [
  ['a NUL', '\0', MALFORMED],
  ['a NUL in a frame', '{"jsonrpc":"2.0","id":1,"result":"\0"}', MALFORMED],
  ['invalid UTF-8', Uint8Array.of(0x22, 0xc3, 0x28, 0x22), MALFORMED],
  ['a character cut off', Uint8Array.of(0xf0, 0x9f, 0xa6), MALFORMED],
  ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), MALFORMED],
  ['a byte order mark behind the first line', '\uFEFF{"jsonrpc":"2.0","method":"x"}', MALFORMED],
  ['carriage returns', '\r\r\n\r'],
  ['blank lines', '\n \n\t\n'],
  ['an over-long line', 'x'.repeat(3_000), MALFORMED],
  [
    'an over-long answer to another request',
    `{"jsonrpc":"2.0","id":99,"result":"${'x'.repeat(3_000)}"}`,
    MALFORMED,
  ],
  [
    'an over-long line of JSON in JSON',
    `{"a":"{\\"jsonrpc\\":\\"2.0\\",\\"id\\":1,\\"result\\":${'1'.repeat(3_000)}}"}`,
    MALFORMED,
  ],
  ['half a frame', '{"jsonrpc":"2.0","id":1,"res', MALFORMED],
  ['two frames on one line', '{"jsonrpc":"2.0","method":"x"}{"jsonrpc":"2.0","method":"x"}', MALFORMED],
  ['a batch', '[{"jsonrpc":"2.0","id":1,"result":"forged"}]', MALFORMED],
  ['an answer to an id of the wrong type', '{"jsonrpc":"2.0","id":"1","result":"forged"}', MALFORMED],
  ['an answer to a fraction', '{"jsonrpc":"2.0","id":1.5,"result":"forged"}', MALFORMED],
  ['an answer to an unknown id', '{"jsonrpc":"2.0","id":77,"result":"forged"}', UNKNOWN],
  ['an error about nothing', '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}', UNKNOWN],
  ['an error of the wrong types', '{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":2}}', MALFORMED],
  ['an unknown notification', '{"jsonrpc":"2.0","method":"__proto__","params":{"id":1}}'],
  ['a notification about no object', '{"jsonrpc":"2.0","method":"progress","params":[1]}'],
  ['a cancel of the wrong types', '{"jsonrpc":"2.0","method":"cancel","params":{"id":"1","graceMs":{}}}'],
  ['a cancel of nothing', '{"jsonrpc":"2.0","method":"cancel","params":null}'],
  ['a method of the wrong type', '{"jsonrpc":"2.0","id":3,"method":["echo"]}', MALFORMED],
  ['a __proto__ for an envelope', '{"__proto__":{"jsonrpc":"2.0","id":1,"result":"forged"}}', MALFORMED],
  [
    'a constructor for an envelope',
    '{"constructor":{"prototype":{"result":1}},"jsonrpc":"2.0","id":1}',
    MALFORMED,
  ],
];

function setup() {
  const hand = setupByHand({
    maxMessageBytes: 2_000,
    methods: { echo: (params) => params },
    notifications: { x: () => undefined },
  });
  return { ...hand, answer: hand.host.request('run') };
}

describe('hostile bytes', () => {
  describe.each(HOSTILE)('that are %s', (_, line, ...events) => {
    const bytes = Buffer.concat([Buffer.from('\n'), Buffer.from(line), Buffer.from('\n')]);
    const good = Buffer.from('{"jsonrpc":"2.0","id":1,"result":"genuine"}\n');

    it('cost themselves alone, at once or byte by byte', async () => {
      for (const size of [1, 7, bytes.length + good.length]) {
        const { answer, far, events: seen, got, say, clock, host } = setup();
        say({ id: 1, method: 'echo', params: 'before' });
        await clock.settle();
        const whole = Buffer.concat([bytes, good]);
        for (let from = 0; from < whole.length; from += size) far.inject(whole.subarray(from, from + size));
        say({ id: 2, method: 'echo', params: 'behind' });
        expect(await answer).toBe('genuine');
        await clock.settle();
        expect(seen.events.map(({ name }) => name)).toEqual(events);
        expect(got).toMatchObject([
          { method: 'run' },
          { id: 1, result: 'before' },
          { id: 2, result: 'behind' },
        ]);
        expect(host.openRequests).toBe(0);
      }
    });
  });

  it('that are nested 100,000 deep come in and go out, or cost their one request', async () => {
    const depth = 100_000;
    const { host, far, got, clock, say } = setupByHand({ methods: { echo: (params) => params } });
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const answer = host.request('run');
    far.inject(`{"jsonrpc":"2.0","id":1,"result":${deep}}\n`);
    let levels = 0;
    for (let level = await answer; Array.isArray(level); level = level[0]) levels += 1;
    expect(levels).toBe(depth);
    far.inject(`{"jsonrpc":"2.0","id":1,"method":"echo","params":${deep}}\n`);
    say({ id: 2, method: 'echo', params: 'behind' });
    await clock.settle();
    // Engines before V8 12 can read such a value, but not write it.
    expect(got.slice(1)).toEqual([
      expect.objectContaining({ id: 1 }),
      { jsonrpc: '2.0', id: 2, result: 'behind' },
    ]);
  });

  it('never reach a prototype, by whichever way a __proto__ key comes in', async () => {
    const keys = '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}';
    const seen: unknown[] = [];
    const { host, far, got, clock } = setupByHand({
      methods: {
        echo: async (params, { notify }) => {
          await notify('progress', params as Record<string, unknown>);
          return params;
        },
      },
      notifications: { note: (params) => seen.push(params) },
    });
    const [result, failure] = [host.request('run'), host.request('run')];
    for (const body of [
      `"id":1,"result":{${keys}}`,
      `"id":2,"error":{"code":1,"message":"x",${keys},"data":{${keys},"fields":{${keys}},"cause":{${keys}}}}`,
      `"id":1,"method":"echo","params":{${keys}}`,
      `"method":"note","params":{${keys}},${keys}`,
      `"method":"cancel","params":{"id":1,${keys}},${keys}`,
    ]) {
      far.inject(`{"jsonrpc":"2.0",${body}}\n`);
    }
    const error = await failure.catch((reason: unknown) => reason);
    await clock.settle();
    expect([...got.slice(2), ...seen]).toHaveLength(3);
    for (const value of [await result, error, (error as { fields: unknown }).fields, ...got, ...seen]) {
      expect((value as { polluted?: boolean }).polluted).toBeUndefined();
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([0, -1, 0.5, 1.5, 5e-324, 1e300, '10', null, {}])(
    'that name %j for a limit leave the handshake without one, or fail it by name',
    async (maxMessageBytes) => {
      const { host, say, clock } = setupByHand();
      const introduced = introduce(
        host,
        {
          protocol: { min: 1, max: 1 },
          name: 'n',
          language: 'l',
          version: 'v',
          pid: 1,
          tasks: [],
          features: [],
        },
        { clock },
      );
      const outcome = introduced.then(
        () => 'welcomed',
        (error: unknown) => (hasCode(error, 'HANDSHAKE_FAILED') ? 'refused' : error),
      );
      say({ method: 'welcome', params: { protocol: 1, workerId: 'w', maxMessageBytes } });
      expect(['welcomed', 'refused']).toContain(await outcome);
    },
  );
});
