import { describe, expect, it } from 'vitest';
import { type OrchestratorRequest, patternOf } from './orchestrator-requests.ts';

/** All that a request can ask for, in the order in which it decides. */
const ASKED: readonly (readonly [string, Partial<OrchestratorRequest>])[] = [
  ['periodic', { periodic: { name: 'job', everyMs: 1_000 } }],
  ['long-running', { streaming: true }],
  ['concurrent', { items: [{}, {}] }],
  ['fire-and-forget', { waitForResult: false }],
  ['pooled', { pooled: { task: 'shout' } }],
  ['simple', {}],
];

describe('the pattern of a request', () => {
  it('is the first it asks for, whatever else it asks for', () => {
    for (let asked = 0; asked < 2 ** ASKED.length; asked += 1) {
      const wanted = ASKED.filter((_, index) => (asked & (1 << index)) !== 0);
      const request = Object.assign(
        { scriptPath: 'job.py' },
        ...wanted.map(([, fields]) => fields),
      ) as OrchestratorRequest;
      expect(patternOf(request)).toBe(wanted[0]?.[0] ?? 'simple');
    }
  });

  it('is the one it names, if it has what that needs', () => {
    const scriptPath = 'job.py';
    expect(patternOf({ scriptPath, pattern: 'simple', streaming: true, waitForResult: false })).toBe(
      'simple',
    );
    expect(patternOf({ scriptPath, pattern: 'long-running' })).toBe('long-running');
    expect(() => patternOf({ scriptPath, pattern: 'concurrent' })).toThrow(
      'The pattern `concurrent` needs `items`.',
    );
    expect(() => patternOf({ scriptPath, pattern: 'periodic' })).toThrow('needs `periodic`');
    expect(() => patternOf({ scriptPath, pattern: 'pooled' })).toThrow('needs `pooled`');
    expect(() => patternOf({ scriptPath, pattern: 'parallel' as never })).toThrow(
      'Expected `pattern` to be one of',
    );
    expect(() => patternOf({ scriptPath, steaming: true } as never)).toThrow('did you mean `streaming`?');
  });
});
