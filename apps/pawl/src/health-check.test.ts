import { createManualClock } from '@pawl/core/testing';
import { circuitBreaker } from '@pawl/resilience';
import { describe, expect, it } from 'vitest';
import { createHealthCheck } from './health-check.ts';

function setup() {
  const clock = createManualClock();
  const breaker = circuitBreaker({ clock });
  const asked: string[] = [];
  const python: { fault?: Error } = {};
  const find = async (name: string): Promise<void> => {
    asked.push(name);
    if (python.fault !== undefined) throw python.fault;
  };
  return {
    clock,
    breaker,
    asked,
    python,
    check: createHealthCheck({ python: 'python9', breaker, find, clock }),
  };
}

describe('the health check', () => {
  it('asks the interpreter once in 10 s, however often it is asked itself', async () => {
    const { clock, asked, check } = setup();
    const answers = await Promise.all(Array.from({ length: 50 }, () => check.problems()));
    expect(answers.flat()).toEqual([]);
    expect(asked).toEqual(['python9']);
    await clock.advance(9_999);
    await check.problems();
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    await check.problems();
    expect(asked).toHaveLength(2);
  });

  it('says why the interpreter can not be used, and asks again after 2 s', async () => {
    const { clock, asked, python, check } = setup();
    python.fault = new Error('there is no python9');
    expect(await check.problems()).toEqual(['there is no python9']);
    delete python.fault;
    await clock.advance(1_999);
    expect(await check.problems()).toEqual(['there is no python9']);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(await check.problems()).toEqual([]);
  });

  it('tells of an open breaker at once, and of both', async () => {
    const { breaker, check } = setup();
    expect(await check.problems()).toEqual([]);
    breaker.trip();
    const ofBreaker = 'Starting Python failed too often: the breaker is open.';
    expect(await check.problems()).toEqual([ofBreaker]);
    breaker.reset();
    expect(await check.problems()).toEqual([]);
    const second = setup();
    second.python.fault = new Error('gone');
    second.breaker.trip();
    expect(await second.check.problems()).toEqual(['gone', ofBreaker]);
  });
});
