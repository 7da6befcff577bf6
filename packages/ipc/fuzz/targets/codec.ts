import { strict as assert } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { createFrameDecoder, encodeFrame, NotSerializableError } from '@pawl/ipc';
import type { Target } from '../target.ts';

/** Values of every kind there is in the language. */
const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
  stringUnit: 'binary',
});

export const codecTargets: readonly Target[] = [
  {
    name: 'codec.values',
    says: 'sends a value as it is, on one line, or refuses it by a path that leads to the fault',
    property: fc.property(anything, (value) => {
      const json = stringify(value);
      try {
        const frame = encodeFrame({ jsonrpc: '2.0', id: 7, result: value });
        assert.equal(frame.indexOf('\n'), frame.length - 1);
        const [message] = createFrameDecoder().push(Buffer.from(frame));
        const sent: unknown = value === undefined ? undefined : JSON.parse(json ?? 'fault');
        assert.deepEqual((message as unknown as Record<string, unknown>)['result'], sent);
        assert.ok(isSame(value, sent), 'It arrives as something else.');
      } catch (error) {
        if (!(error instanceof NotSerializableError)) throw error;
        const arrives = json !== undefined && isDeepStrictEqual(value, JSON.parse(json));
        assert.ok(!arrives && value !== undefined, `${error.message} But it can.`);
        assert.ok(error.path === 'result' || /^[.[]/.test(error.path.slice('result'.length)), error.path);
      }
    }),
  },
  {
    name: 'codec.notifications',
    says: 'sends what JSON.stringify makes of any value, on one line, or refuses it by a path that leads to the fault',
    property: fc.property(anything, (value) => {
      const json = stringify(value);
      const absent = value === undefined;
      try {
        const frame = encodeFrame({ jsonrpc: '2.0', method: 'note', ...(absent ? {} : { params: value }) });
        assert.equal(frame.indexOf('\n'), frame.length - 1);
        const [message] = createFrameDecoder().push(Buffer.from(frame));
        const sent: unknown = absent ? undefined : JSON.parse(json ?? 'fault');
        assert.deepEqual((message as unknown as Record<string, unknown>)['params'], sent);
      } catch (error) {
        if (!(error instanceof NotSerializableError)) throw error;
        assert.ok(json === undefined && !absent, `${error.message} But it can.`);
        assert.ok(error.path === 'params' || /^[.[]/.test(error.path.slice('params'.length)), error.path);
      }
    }),
  },
];

/** But for what JSON has no word for: fields that are undefined, the sign of zero, prototypes, symbols as keys. */
function isSame(value: unknown, arrived: unknown): boolean {
  if (Array.isArray(value)) {
    return (
      Array.isArray(arrived) &&
      value.length === arrived.length &&
      value.every((item, index) => isSame(item, arrived[index]))
    );
  }
  if (typeof value !== 'object' || value === null) return value === arrived;
  const [before, after] = [value, arrived].map((side) =>
    Object.entries(side as object).filter(([, field]) => field !== undefined),
  );
  return (
    before?.length === after?.length &&
    (before ?? []).every(([key, field]) => isSame(field, (arrived as Record<string, unknown>)[key]))
  );
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
