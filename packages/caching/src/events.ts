/**
 * Why an entry left: another took its key (`set`), it was deleted (`delete`), pushed out by the limits (`evict`),
 * too old (`expire`), or hit by a tag or predicate (`invalidate`) or by `clear()` (`clear`).
 */
export type RemovalReason = 'set' | 'delete' | 'evict' | 'expire' | 'invalidate' | 'clear';

/** What a cache tells. Keys of a namespace appear as they are stored, behind the namespace's prefix. */
export interface CacheEvents {
  /** A read was answered from the cache; `stale` past its time to live, `negative` with a remembered failure. */
  'cache:hit': { readonly key: string; readonly stale: boolean; readonly negative: boolean };
  /** A read was not answered from the cache. */
  'cache:miss': { readonly key: string };
  /** A value or a failure was stored. */
  'entry:stored': {
    readonly key: string;
    readonly tags: readonly string[];
    readonly sizeBytes: number;
    readonly negative: boolean;
  };
  /** The store did not take a value: too large for it, or not asked for often enough. */
  'entry:refused': { readonly key: string; readonly sizeBytes: number };
  /** An entry left the cache. */
  'entry:removed': { readonly key: string; readonly reason: RemovalReason };
  /** A load began; `background` when no caller waits for it. */
  'load:started': { readonly key: string; readonly background: boolean };
  /** A load brought a value; `stored` is false when an invalidation, a set or the caller's wish prevented it. */
  'load:succeeded': { readonly key: string; readonly durationMs: number; readonly stored: boolean };
  /** A load failed or timed out; `servedStale` when its waiters got the old value instead of the error. */
  'load:failed': {
    readonly key: string;
    readonly durationMs: number;
    readonly error: unknown;
    readonly servedStale: boolean;
  };
  /** The last waiter left a load, so it was aborted. */
  'load:abandoned': { readonly key: string; readonly durationMs: number };
  /** A miss was answered by the tier; `stale` past its time to live. */
  'tier:hit': { readonly key: string; readonly stale: boolean };
  /** The tier had nothing to answer a miss with. */
  'tier:miss': { readonly key: string };
  /** The tier failed. After a failed removal it is not read any more until it was cleared. */
  'tier:failed': {
    readonly operation: 'get' | 'set' | 'delete' | 'deleteWhere' | 'clear';
    /** Absent when it was about many. */
    readonly key?: string;
    readonly error: unknown;
  };
  /** Entries were dropped and loads cut off, all at once. */
  'cache:invalidated': {
    /** By tag, predicate, namespace or all of it; single keys are not announced here. */
    readonly by: 'tag' | 'predicate' | 'namespace' | 'clear';
    /** The tag or the namespace's name. */
    readonly name?: string;
    /** Entries dropped; those of a namespace are only hidden, and not counted. */
    readonly entries: number;
    /** Loads whose value will not be stored. */
    readonly loads: number;
  };
}
