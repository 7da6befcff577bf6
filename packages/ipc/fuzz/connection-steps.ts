import * as fc from 'fast-check';

export type Side = 'a' | 'b';

/** One thing that happens, on either side. `pick` chooses among what there is at that moment. */
export type Step =
  | {
      readonly do: 'request';
      readonly side: Side;
      readonly timeoutMs: number | undefined;
      readonly signal: boolean;
    }
  | Pick<'answer'>
  | Pick<'fail'>
  | Pick<'answerUnsendable'>
  | Pick<'notify'>
  | Pick<'abort'>
  | Pick<'cancel'>
  | Pick<'inject'>
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'settle' }
  | { readonly do: 'close'; readonly side: Side }
  | { readonly do: 'break'; readonly side: Side };

interface Pick<Name> {
  readonly do: Name;
  readonly side: Side;
  readonly pick: number;
}

const side = fc.constantFrom<Side>('a', 'b');
const pick = fc.nat({ max: 20 });
/** Any step; ends are rare, so that something can happen before them. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 18,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      side,
      timeoutMs: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
      signal: fc.boolean(),
    }),
  },
  {
    weight: 18,
    arbitrary: fc.record({
      do: fc.constantFrom('answer' as const, 'fail' as const, 'answerUnsendable' as const, 'notify' as const),
      side,
      pick,
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constantFrom('abort' as const, 'cancel' as const), side, pick }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('inject' as const), side, pick }) },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('close' as const, 'break' as const), side }) },
);

/** Bytes that no well-behaved side sends; none is, or becomes, an answer to an open request. */
export const HOSTILE = [
  'print\n',
  'no newline',
  '{"jsonrpc":"2.0","id":1}\n',
  '{"jsonrpc":"2.0","id":99999,"result":1}\n',
  '{"jsonrpc":"2.0","method":"cancel","params":{"id":"x"}}\n',
  '{"jsonrpc":"2.0","method":"progress","params":[]}\n',
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}\n',
  '\u0000\n',
  '\n\r\n',
];
