import type { UsageQueries } from '../../../projections/usage/queries.js';
import type { Position } from '../../eventsourcing/event.js';
import type { Limiter } from '../limits/limiter.js';

/**
 * What two nodes store under one id at the same moment counts once (decision 11), and until the ledger has judged
 * counters may have it twice. Then they are loaded anew, with what the ledger has.
 */
export class DuplicateCorrections {
  /** @param looked the last event whose duplicates need not be looked for */
  constructor(
    private readonly ledger: Pick<UsageQueries, 'seen' | 'subjectsOfDuplicates'>,
    private readonly limiter: Pick<Limiter, 'forget'>,
    private looked: Position,
  ) {}

  /** Looks through what the ledger has judged since the last time. */
  async correct(): Promise<void> {
    const seen = this.ledger.seen();
    if (seen <= this.looked) return;
    for (const subject of await this.ledger.subjectsOfDuplicates(this.looked, seen)) {
      await this.limiter.forget(subject);
    }
    this.looked = seen;
  }
}
