import { expectTypeOf, it } from 'vitest';
import type * as typedTasks from './fixtures/typed-tasks.ts';
import { createPool, type ProcessPool, type RunStream } from '../src/index.ts';
import { TASKS } from './setup-pool.ts';

type Tasks = typeof typedTasks;

/** Never called: only its types count. */
function uses(pool: ProcessPool<Tasks>, untyped: ProcessPool): void {
  expectTypeOf(pool.run('double', 21)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(pool.run('greet', { name: 'you' }, { timeoutMs: 5 })).toEqualTypeOf<Promise<string>>();
  expectTypeOf(pool.run('nothing', 'x')).toEqualTypeOf<Promise<null>>();
  expectTypeOf(pool.run('maybe')).toEqualTypeOf<Promise<number>>();
  expectTypeOf(pool.map('double', [1, 2])).toEqualTypeOf<AsyncIterable<number>>();
  expectTypeOf(pool.stream('lines', 'a.txt')).toEqualTypeOf<RunStream<string, number>>();
  expectTypeOf(untyped.run('anything', { at: 'all' })).toEqualTypeOf<Promise<unknown>>();
  expectTypeOf(untyped.run('anything')).toEqualTypeOf<Promise<unknown>>();
  // @ts-expect-error There is no such task.
  void pool.run('triple', 1);
  // @ts-expect-error It takes a number.
  void pool.run('double', 'one');
  // @ts-expect-error It takes an input.
  void pool.run('double');
  // @ts-expect-error It is no function.
  void pool.run('VERSION');
  // @ts-expect-error There is no such option.
  void pool.run('double', 1, { timeout: 5 });
  // @ts-expect-error The inputs are numbers.
  void pool.map('double', ['one']);
}

it('infers input, result and chunks of each task from the type of its module', async () => {
  expectTypeOf(uses).toBeFunction();
  await using pool = createPool<Tasks>({ worker: TASKS, minWorkers: 0 });
  expectTypeOf(pool).toEqualTypeOf<ProcessPool<Tasks>>();
  const plain: Pick<ProcessPool, 'stats' | 'stop'> = pool;
  expectTypeOf(plain.stats().submitted).toBeNumber();
});
