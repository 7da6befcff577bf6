import { describe, expect, it } from 'vitest';
import { PawlError } from '../pawl-error.ts';
import { createLifecycle, type Service, type ServiceState } from '../service.ts';
import { serviceContract } from './service-contract.ts';

/** The titles of the rules that this service breaks. */
async function broken(create: () => Service): Promise<readonly string[]> {
  const titles: string[] = [];
  for (const { title, run } of serviceContract(create)) {
    await run().catch(() => titles.push(title));
  }
  return titles;
}

/** A sound service with some of its parts replaced by `change`. */
function altered(change: (sound: Service) => Partial<Service>): () => Service {
  return () => {
    const sound = createLifecycle({ name: 'sound' });
    const parts: Service = {
      get state() {
        return sound.state;
      },
      start: () => sound.start(),
      stop: (options) => sound.stop(options),
      [Symbol.asyncDispose]: () => sound[Symbol.asyncDispose](),
    };
    const { state, ...rest } = Object.getOwnPropertyDescriptors(change(sound));
    Object.defineProperties(parts, state === undefined ? rest : { ...rest, state });
    return parts;
  };
}

const says = (sound: Service, told: Partial<Record<ServiceState, ServiceState>>): Partial<Service> => ({
  get state() {
    return told[sound.state] ?? sound.state;
  },
});

describe('serviceContract', () => {
  it('finds nothing wrong with a sound service', async () => {
    expect(await broken(altered(() => ({})))).toEqual([]);
  });

  it('has a title of its own for each rule', () => {
    const titles = serviceContract(altered(() => ({}))).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it.each<[string, (sound: Service) => Partial<Service>]>([
    ['is idle before it is started', (sound) => says(sound, { idle: 'stopped' })],
    ['is running after its start', (sound) => says(sound, { running: 'starting' })],
    [
      'joins a second start to the first',
      (sound) => {
        let starts = 0;
        return {
          start: () => ((starts += 1) > 1 ? Promise.reject(new Error('started already')) : sound.start()),
        };
      },
    ],
    [
      'is stopped after its stop, and says that it drained',
      (sound) => ({ stop: async () => ({ ...(await sound.stop()), drained: false }) }),
    ],
    [
      'may be stopped before it is started',
      (sound) => ({
        stop: (options) =>
          sound.state === 'idle' ? Promise.reject(new Error('never started')) : sound.stop(options),
      }),
    ],
    [
      'gives two stops one promise',
      (sound) => ({ stop: (options) => sound.stop(options).then((report) => report) }),
    ],
    [
      'may be stopped while it starts',
      (sound) => ({
        stop: (options) =>
          sound.state === 'starting' ? Promise.reject(new Error('busy')) : sound.stop(options),
      }),
    ],
    [
      'refuses to start again after a stop',
      (sound) => ({ start: () => (sound.state === 'stopped' ? Promise.resolve() : sound.start()) }),
    ],
    [
      'refuses to start again after a stop',
      (sound) => ({
        start: () =>
          sound.state === 'stopped'
            ? Promise.reject(new PawlError('No.', { code: 'SOME_OTHER' }))
            : sound.start(),
      }),
    ],
    ['stops when it is disposed', () => ({ [Symbol.asyncDispose]: () => Promise.resolve() })],
    ['refuses a grace that is no duration', (sound) => ({ stop: () => sound.stop() })],
  ])('can go red: %s', async (title, change) => {
    expect(await broken(altered(change))).toContain(title);
  });

  it('stops what it made, also after a broken rule', async () => {
    const made: Service[] = [];
    await broken(() => {
      const service = altered((sound) => says(sound, { running: 'starting' }))();
      made.push(service);
      return service;
    });
    expect(made.map((service) => service.state)).toEqual(made.map(() => 'stopped'));
  });

  it('reports the broken rule, not what the clean-up makes of it', async () => {
    const create = altered((sound) => ({
      ...says(sound, { idle: 'stopped' }),
      get state(): ServiceState {
        return 'stopped';
      },
      stop: () => Promise.reject(new Error('clean-up failed')),
    }));
    const [first] = serviceContract(create);
    await expect(first?.run()).rejects.toThrow(/Expected values to be strictly equal/);
  });
});
