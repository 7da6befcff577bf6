import { createEmitter, type Logger } from '@pawl/core';
import { pino } from 'pino';
import { describe, expect, expectTypeOf, it } from 'vitest';

describe('the Logger port', () => {
  it('takes a pino instance, and its children, as they are', () => {
    expectTypeOf(pino()).toExtend<Logger>();
    expectTypeOf(pino().child({ runId: '41f9' })).toExtend<Logger>();
    const port: Logger = pino({ level: 'silent' });
    expectTypeOf(port.child({ runId: '41f9' })).toEqualTypeOf<Logger>();
    expect(() => port.child({ runId: '41f9' }).info({ attempt: 1 }, 'started')).not.toThrow();
  });

  it('gives pino the fields, the message and the error of a failing listener', () => {
    const lines: string[] = [];
    const logger = pino({ base: null }, { write: (line) => lines.push(line) });
    const emitter = createEmitter<{ 'run:started': object }>({ logger: logger.child({ pool: 'main' }) });
    emitter.on('run:started', () => {
      throw new Error('broken listener');
    });
    emitter.emit('run:started', {});
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      {
        level: 50,
        pool: 'main',
        event: 'run:started',
        msg: 'A listener of "run:started" failed.',
        err: { type: 'Error', message: 'broken listener' },
      },
    ]);
  });
});
