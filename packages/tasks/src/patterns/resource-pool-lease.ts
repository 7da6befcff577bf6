import { onAbort } from '@pawl/core';
import { LeaseReleasedError } from './resource-pool-options.ts';

/** The exclusive right to use a resource: `await using lease = await pool.acquire();` */
export interface Lease<T> extends AsyncDisposable {
  readonly id: string;
  readonly resource: T;
  /** Whether the lease was taken away, by an abort or the pool's stop. */
  readonly revoked: boolean;
  /**
   * Gives the resource back for others to use. Does nothing when the lease was revoked.
   * @throws LeaseReleasedError (`code: 'LEASE_RELEASED'`) when it was released already
   */
  release(): void;
  /** Gives it back to be destroyed, because it is broken. @throws LeaseReleasedError likewise */
  discard(): void;
}

/** Open until it is released, discarded or revoked, whichever comes first. */
export class OpenLease<T> implements Lease<T> {
  readonly id: string;
  readonly resource: T;
  readonly #end: (mayReuse: boolean) => void;
  #state: 'open' | 'released' | 'revoked' = 'open';
  #unlink: () => void = () => undefined;

  constructor(id: string, resource: T, end: (mayReuse: boolean) => void) {
    this.id = id;
    this.resource = resource;
    this.#end = end;
  }

  get revoked(): boolean {
    return this.#state === 'revoked';
  }

  /** Revokes the lease when the signal aborts. */
  follow(signal: AbortSignal | undefined): void {
    this.#unlink = onAbort(signal, () => this.revoke());
  }

  release(): void {
    this.#give(true);
  }

  discard(): void {
    this.#give(false);
  }

  revoke(): void {
    if (this.#state === 'open') this.#close('revoked', false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'open') this.#close('released', true);
  }

  #give(mayReuse: boolean): void {
    if (this.#state === 'released') throw new LeaseReleasedError(this.id);
    if (this.#state === 'open') this.#close('released', mayReuse);
  }

  #close(state: 'released' | 'revoked', mayReuse: boolean): void {
    this.#state = state;
    this.#unlink();
    this.#end(mayReuse);
  }
}
