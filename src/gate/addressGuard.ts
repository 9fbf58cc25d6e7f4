import type { Elapsed } from '../clock.js';
import { elapsed } from '../clock.js';
import { SLIDING_MS } from '../plans/profile.js';
import { Guard } from '../usage/limits/guard.js';

/**
 * Limits what has no account yet, by address and field, within one process. graphql-rate-limit, which is made
 * for this, neither holds for parallel calls nor when the clock is set (test/gate/addressGuard.unit.test.ts).
 */
export class AddressGuard {
  readonly #guard: Guard;

  /**
   * @param amount calls a minute of one field for each address
   * @param amounts the same for fields that have an amount of their own
   */
  constructor(
    private readonly amount: number,
    private readonly amounts: ReadonlyMap<string, number> = new Map(),
    time: Elapsed = elapsed,
  ) {
    this.#guard = new Guard(amount, SLIDING_MS.minute, time);
  }

  /**
   * @param amount where the field says it itself
   * @returns milliseconds to wait; 0 when the call passes
   */
  take(address: string, field: string, amount = this.amounts.get(field) ?? this.amount): number {
    return this.#guard.take(JSON.stringify([address, field]), amount).waitMs;
  }
}
