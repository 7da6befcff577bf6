import { strict as assert } from 'node:assert';
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
    says: 'sends any value as JSON.stringify writes it, on one line, or refuses it by a path that leads to the fault',
    property: fc.property(anything, fc.constantFrom('result', 'params'), (value, root) => {
      const json = stringify(value);
      const absent = value === undefined;
      try {
        const frame = encodeFrame(
          root === 'result'
            ? { jsonrpc: '2.0', id: 7, result: value }
            : { jsonrpc: '2.0', method: 'note', ...(absent ? {} : { params: value }) },
        );
        assert.equal(frame.indexOf('\n'), frame.length - 1);
        const [message] = createFrameDecoder().push(Buffer.from(frame));
        const sent: unknown = absent ? (root === 'result' ? null : undefined) : JSON.parse(json ?? 'fault');
        assert.deepEqual((message as unknown as Record<string, unknown>)[root], sent);
      } catch (error) {
        if (!(error instanceof NotSerializableError)) throw error;
        assert.ok(json === undefined && !absent, `${error.message} But it can.`);
        assert.ok(error.path === root || /^[.[]/.test(error.path.slice(root.length)), error.path);
      }
    }),
  },
];

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
