import type { HostIdentity, NewRun } from '../tracking/run.ts';

/** A moment the samples count from. */
export const T0 = 1_767_225_600_000;

/** A host by this name, as a store is opened for. */
export function sampleHost(id: string): HostIdentity {
  return { id, name: 'machine', pid: 1, startTime: '1', bootId: 'boot', since: T0 };
}

/** A run that is due at {@link T0}, with what `changes` says instead. */
export function sampleRun(id: string, changes: Partial<NewRun> = {}): NewRun {
  return {
    id,
    task: 'task',
    input: null,
    priority: 2,
    key: undefined,
    idempotencyKey: undefined,
    schedule: undefined,
    fingerprint: 'fingerprint',
    createdAt: T0,
    availableAt: T0,
    deadlineAt: undefined,
    timeoutMs: Infinity,
    maxAttempts: 1,
    maxLosses: 3,
    ...changes,
  };
}
