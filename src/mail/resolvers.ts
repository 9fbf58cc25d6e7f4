import { Arg, Args, Ctx, FieldResolver, Resolver } from 'type-graphql';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { Sized } from '../graphql/cost/directives.js';
import { MEMBERS } from '../graphql/kit/access.js';
import { Command } from '../graphql/kit/command.js';
import type { RequestContext } from '../graphql/kit/context.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import type { OperatorAction } from '../graphql/kit/operatorAction.js';
import type { Page } from '../graphql/kit/pages.js';
import { pageOf } from '../graphql/kit/pages.js';
import { payload } from '../graphql/kit/payload.js';
import { InvalidInput, refusalOf } from '../graphql/kit/refusals.js';
import { Operator } from '../operators/types.js';
import type { LoggedDelivery, Outbox } from '../outgoing/outbox.js';
import { idProblem } from '../text/text.js';
import { mailDecider } from './decide.js';
import { MAIL } from './deliveries.js';
import { mailStream } from './events.js';
import type { Mail } from './types.js';
import {
  MailConnection,
  mailOf,
  MailPage,
  MailStatus,
  MAX_MAIL_ATTEMPTS,
  OperatorReplayMailInput,
  OperatorReplayMailPayload,
  OperatorReplayMailResult,
} from './types.js';

/** Names the list in its cursors. */
const LIST = 'mails';

/** What operators see of mails. */
@Resolver(() => Operator)
export class OperatorMailsResolver {
  constructor(
    private readonly outbox: Outbox,
    private readonly cursors: Cursors,
  ) {}

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => MailConnection, {
    nullable: true,
    description: 'Mails of the whole service, newest first, with their attempts.',
  })
  async mails(@Args(() => MailPage) { first, after, status }: MailPage): Promise<Page<Mail>> {
    const place = this.cursors.after(LIST, after);
    const cursor = place && { askedAt: new Date(Number(place[0])), id: place[1] as string };
    const asked = status === MailStatus.SENT ? 'DELIVERED' : (status ?? undefined);
    const rows = await this.outbox.log(MAIL, MAIL, { status: asked }, first, cursor);
    const ids = rows.map(({ id }) => id);
    const attempts = await this.outbox.attemptsOf(MAIL, ids, MAX_MAIL_ATTEMPTS);
    const placeOf = (row: LoggedDelivery): Place => [row.askedAt.getTime(), row.id];
    return pageOf(this.cursors, LIST, rows, { first, after }, placeOf, (row) => mailOf(row, attempts));
  }
}

@Resolver()
export class ReplayMailResolver {
  constructor(
    private readonly commands: CommandHandler,
    private readonly action: OperatorAction,
    private readonly positions: PositionTokens,
  ) {}

  @Command(() => OperatorReplayMailResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description:
      'Sends a mail once more that was sent or given up, under the same Message-ID. For operators.',
  })
  async operatorReplayMail(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorReplayMailInput, { description: 'Input for `operatorReplayMail`.' })
    input: OperatorReplayMailInput,
  ): Promise<typeof OperatorReplayMailResult> {
    const { mailId } = input;
    const problem = idProblem('mailId', mailId);
    if (problem !== undefined) return new InvalidInput(problem, 'mailId');
    const action = this.action(context, input, 'operatorReplayMail');
    if (action instanceof InvalidInput) return action;
    const command = { type: 'ReplayMail', now: context.now } as const;
    const result = await this.commands.handle(mailDecider, mailStream(mailId), command, action);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'Conflict');
    const { replayed } = result;
    return payload(OperatorReplayMailPayload, {
      mailId,
      replayed,
      position: this.positions.encode(result.position),
    });
  }
}
