import { Args, FieldResolver, Resolver, Root } from 'type-graphql';
import type { AuditQueries, AuditRow } from '../../projections/audit/queries.js';
import { Account } from '../accounts/types.js';
import { Operator } from '../operators/types.js';
import { Access, MANAGERS } from '../graphql/kit/access.js';
import type { Page } from '../graphql/kit/pages.js';
import { pageOf } from '../graphql/kit/pages.js';
import { Sized } from '../graphql/cost/directives.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import { storedActors } from './names.js';
import type { AuditEntry } from './types.js';
import { auditEntryOf, AuditLogConnection, AuditLogPage } from './types.js';

/** Who sees what was done in an account. */
export const AUDIT_ACCESS = { scope: 'admin', roles: MANAGERS } as const;
/** Names the list in its cursors. */
const LIST = 'audit';

/** A page of the log, the newest first. */
type PageOfLog = (accountId: string | undefined, asked: AuditLogPage) => Promise<Page<AuditEntry>>;

export function pageOfLog(queries: AuditQueries, cursors: Cursors): PageOfLog {
  return async (accountId, { first, after, filter }) => {
    const place = cursors.after(LIST, after);
    const { actorId, action, from, to } = filter ?? {};
    const rows = await queries.page(
      {
        accountId,
        actors: actorId == null ? undefined : storedActors(actorId),
        action: action ?? undefined,
        from: from ?? undefined,
        to: to ?? undefined,
      },
      first,
      place && Number(place[0]),
    );
    const placeOf = ({ position }: AuditRow): Place => [position];
    return pageOf(cursors, LIST, rows, { first, after }, placeOf, auditEntryOf);
  };
}

@Resolver(() => Operator)
export class OperatorAuditResolver {
  constructor(private readonly page: PageOfLog) {}

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => AuditLogConnection, {
    nullable: true,
    description:
      'Who did what in all accounts, newest first. Download all of it at `/v1/audit.csv` or `/v1/audit.ndjson`. The log of one account is below `operator.account`.',
  })
  auditLog(@Args(() => AuditLogPage) asked: AuditLogPage): Promise<Page<AuditEntry>> {
    return this.page(undefined, asked);
  }
}

@Resolver(() => Account)
export class AccountAuditResolver {
  constructor(private readonly page: PageOfLog) {}

  @Access(AUDIT_ACCESS)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => AuditLogConnection, {
    nullable: true,
    description:
      'Who did what in the account, newest first. Download all of it at `/v1/audit.csv` or `/v1/audit.ndjson`.',
  })
  auditLog(
    @Root() { id }: Account,
    @Args(() => AuditLogPage) asked: AuditLogPage,
  ): Promise<Page<AuditEntry>> {
    return this.page(id, asked);
  }
}
