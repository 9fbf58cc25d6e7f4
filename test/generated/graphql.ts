/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Input for `acceptInvitation`. */
export type AcceptInvitationInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The token from the mail. Valid for 7 days. */
  token: string;
};

/** Selects accounts. All given conditions must hold. */
export type AccountFilter = {
  /** E-mail address of the user who opened the account. Compared without regard to case. */
  email?: string | null | undefined;
  /** Id of the plan in force, e.g. `free`. */
  planId?: string | number | null | undefined;
};

/** Which agreed prices. Fields that are left out do not filter. */
export type AgreedPriceFilter = {
  /** Only those agreed with this account. */
  accountId?: string | number | null | undefined;
  /** Only those that were withdrawn (true), or only those that were not (false). */
  withdrawn?: boolean | null | undefined;
};

/** Why an analysis has no result. New values may be added. */
export type AnalysisFailureReason =
  /** The time of the file was over before it was analysed. */
  | 'FILE_LOST'
  /** The fault is ours. */
  | 'INTERNAL'
  /** The payment was used for another file, or the credits were spent. */
  | 'PAYMENT'
  /** Its rule set was deleted before it was analysed. */
  | 'RULES_DELETED'
  /** The file unpacks to more than is taken, or its result is too large. */
  | 'TOO_LARGE'
  /** The file cannot be read as a chat log. */
  | 'UNREADABLE';

/** One of several files to analyse. */
export type AnalysisFileInput = {
  /** The format of the file, as `/patterns` names it. By default it is recognised. */
  format?: string | null | undefined;
  /** Languages of the file, as `/patterns` names them, at most 10. By default it is recognised. */
  languages?: Array<string> | null | undefined;
  /** The payment for it, from `/create-payment-intent` or `/checkout`. Leave it out where credits or the plan pay, or nobody has to. */
  paymentIntentId?: string | null | undefined;
};

/** Where an analysis stands. New values may be added. */
export type AnalysisStatus =
  /** Its file is still to be uploaded. */
  | 'AWAITING_FILE'
  /** It is done. */
  | 'COMPLETED'
  /** There is no result: see `failure`. */
  | 'FAILED'
  /** The file is there and waits, or is being analysed. */
  | 'QUEUED';

/** What kind of actor did something. New values may be added. */
export type AuditActorType =
  /** Somebody at the command line of the service. */
  | 'COMMAND_LINE'
  /** A back end, with an API key. */
  | 'KEY'
  /** A rule of the service that follows from another event, e.g. `revoke-keys`. */
  | 'POLICY'
  /** The service itself, e.g. when it starts or hears from the payment service. */
  | 'SYSTEM'
  /** A user who was signed in. */
  | 'USER';

/** Selects entries of the audit log. All given conditions must hold. */
export type AuditFilter = {
  /** Action, e.g. `KeyRevoked`. */
  action?: string | null | undefined;
  /** Only what this actor did, as an operator or not: the id of a user or key, or the name of a policy, e.g. `usr_…` or `revoke-keys`. */
  actorId?: string | null | undefined;
  /** Earliest time, inclusive. */
  from?: string | null | undefined;
  /** Latest time, exclusive. */
  to?: string | null | undefined;
};

/** How often a price is due. New values may be added. */
export type BillingInterval =
  /** Due every month. */
  | 'MONTH'
  /** Due every year. */
  | 'YEAR';

/** Input for `buyCredits`. */
export type BuyCreditsInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The pack to buy: see `creditPacks`. */
  packId: string | number;
};

/** How a call ended. New values may be added. */
export type CallStatus =
  /** An internal error: of its amounts only the request counts. Or reported as an error by a back end: all of them count. */
  | 'ERROR'
  /** It was executed, or reported. */
  | 'OK'
  /** A limit refused it. It counts nothing. */
  | 'REFUSED'
  /** It took too long. */
  | 'TIMEOUT';

/** Input for `cancelSubscription`. */
export type CancelSubscriptionInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** When the subscription ends. */
  when?: CancellationTime;
};

/** When a subscription ends. New values may be added. */
export type CancellationTime =
  /** Immediately, without a refund. */
  | 'NOW'
  /** At the end of the paid period. Until then it can be resumed. */
  | 'PERIOD_END';

/** What happens once overage has come to the spend cap. New values may be added. */
export type CapRule =
  /** It is told once in a billing period, and calls go on. */
  | 'ALERT'
  /** Calls that would cost more are refused, and the period is billed at the cap at most. Where the cap changes in a period the largest counts. */
  | 'REFUSE';

/** Input for `changeMemberRole`. */
export type ChangeMemberRoleInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The new role. */
  role: MemberRole;
  /** Id of the member, as in `account.members`. */
  userId: string | number;
};

/** Input for `changePassword`. */
export type ChangePasswordInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The password that is valid now. */
  currentPassword: string;
  /** 8 to 200 characters. Stored only as an argon2id hash. */
  newPassword: string;
};

/** Input for `changePlan`. */
export type ChangePlanInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Code of a coupon, in upper or lower case. It replaces the discounts of the subscription; without it they stay. */
  coupon?: string | null | undefined;
  /** Id of the price to change to, as in `prices`; or of the price that is paid, to take back a scheduled change. */
  priceId: string | number;
  /** `prorationAt` of a preview that is at most an hour old, to pay exactly the previewed amount. Defaults to now. */
  prorationAt?: string | null | undefined;
};

/** State of a change of plan. New values may be added. */
export type ChangeStatus =
  /** Confirmed: in force, or scheduled. */
  | 'CONFIRMED'
  /** The payment service has not confirmed it yet. This is retried automatically. */
  | 'REQUESTED';

/** Input for `confirmEmailChange`. */
export type ConfirmEmailChangeInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The token from the mail. Valid for 24 hours. */
  token: string;
};

/** Input for `correctUsage`. */
export type CorrectUsageInput = {
  /** The account that paid. */
  accountId: string | number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Why, 1 to 500 characters. It is kept for ever: no personal data. */
  reason: string;
  /** The id of the use, as `account.uses` shows it, or of the reservation that was settled. */
  useId: string;
};

/** Input for `createAnalyses`. */
export type CreateAnalysesInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The files, 1 to 20. */
  files: Array<AnalysisFileInput>;
  /** Whether the owner of the account is told by mail when each has ended. */
  notify?: boolean;
  /** A rule set of the account for all of them. By default the service's own rules. */
  ruleSetId?: string | number | null | undefined;
};

/** Input for `createAnalysis`. */
export type CreateAnalysisInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The format of the file, as `/patterns` names it. By default it is recognised. */
  format?: string | null | undefined;
  /** Languages of the file, as `/patterns` names them, at most 10. By default it is recognised. */
  languages?: Array<string> | null | undefined;
  /** Whether the owner of the account is told by mail when it has ended. */
  notify?: boolean;
  /** The payment for it, from `/create-payment-intent` or `/checkout`. Leave it out where credits or the plan pay, or nobody has to. */
  paymentIntentId?: string | null | undefined;
  /** A rule set of the account; its newest version is used. By default the service's own rules. */
  ruleSetId?: string | number | null | undefined;
};

/** Input for `createRuleSet`. */
export type CreateRuleSetInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** For people, 1 to 100 characters. */
  name: string;
  /** What is looked for. At most 65536 bytes as JSON. `ruleSetTrial` tries them. */
  rules: RuleSetRulesInput;
};

/** Input for `createWebhookEndpoint`. */
export type CreateWebhookEndpointInput = {
  /** Whether it receives events of all accounts. For operators, who share such endpoints. */
  allAccounts?: boolean;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Types of events as in `webhookEventTypes`, or `*` for all, including types of later versions. */
  eventTypes: Array<string>;
  /** An https URL of at most 1000 characters, without credentials or fragment, e.g. `https://example.com/webhooks`. It must resolve to a public address. */
  url: string;
};

/** Where credits come from. New values may be added. */
export type CreditGrantSource =
  /** An operator has given them. */
  | 'OPERATOR'
  /** They were bought. */
  | 'PURCHASE';

/** Input for `deleteAccount`. */
export type DeleteAccountInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The current password. Deletion cannot be undone. */
  password: string;
};

/** Input for `deleteAnalysis`. */
export type DeleteAnalysisInput = {
  /** The id of the analysis to delete. */
  analysisId: string | number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
};

/** Input for `deleteRuleSet`. */
export type DeleteRuleSetInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the rule set to delete. */
  ruleSetId: string | number;
};

/** State of a dispute. New values may be added. */
export type DisputeStatus =
  /** The bank asks about the payment, and has taken no money. It may become a dispute. */
  | 'INQUIRY'
  /** The bank asks no more, and has taken no money. */
  | 'INQUIRY_CLOSED'
  /** The customer keeps the money. */
  | 'LOST'
  /** The bank has taken the money back and has not decided yet. */
  | 'OPEN'
  /** The bank has returned the money. */
  | 'WON';

/** What the disputed payment has paid. New values may be added. */
export type DisputedPurchase =
  /** One analysis. The payment pays for nothing unless the dispute is won. */
  | 'ANALYSIS'
  /** Credits. They are taken back when the dispute is opened, and given back when it is won. */
  | 'CREDITS'
  /** An invoice. The plan stays as it is. */
  | 'INVOICE'
  /** Something else, e.g. a charge made at the payment service. */
  | 'OTHER';

/** Whether calls are billed. Test calls are counted separately and never appear on an invoice. New values may be added. */
export type Environment =
  /** For production. Calls are billed. */
  | 'LIVE'
  /** For development. Calls are counted separately and never billed. */
  | 'TEST';

/** Input for `grantOperator`. */
export type GrantOperatorInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
  /** Id of the user, e.g. `usr_…`. Their e-mail address must be verified. */
  userId: string | number;
};

/** Input for `inviteMember`. */
export type InviteMemberInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** E-mail address to invite. Only its owner can accept the invitation. */
  email: string;
  /** The role that the new member gets. */
  role: MemberRole;
};

/** What of an invoice differs. New values may be added. */
export type InvoiceDifferenceSubject =
  /** The discount is not what its coupons take off. */
  | 'DISCOUNT'
  /** A line comes from no event: it was added at the payment service. */
  | 'OTHER'
  /** A line for a plan is not the agreed price. */
  | 'PLAN'
  /** A line for part of a period is not the part of the agreed price. */
  | 'PRORATION'
  /** The subtotal is not the sum of the lines. */
  | 'SUBTOTAL'
  /** The total is not subtotal − discount + tax. */
  | 'TOTAL'
  /** A line for usage is not what was rated when its period closed. */
  | 'USAGE';

/** What a line of an invoice is for. New values may be added. */
export type InvoiceLineKind =
  /** What fits none of the other kinds. */
  | 'OTHER'
  /** A plan for one period. */
  | 'PLAN'
  /** Part of a period, after a change of plan. */
  | 'PRORATION'
  /** Usage beyond what the plan includes. */
  | 'USAGE';

/** State of an invoice. New values may be added. */
export type InvoiceStatus =
  /** Not issued yet; it may still change. */
  | 'DRAFT'
  /** Issued, and to be paid. */
  | 'OPEN'
  /** Paid in full. */
  | 'PAID'
  /** Written off: payment is no longer expected. */
  | 'UNCOLLECTIBLE'
  /** Voided: nothing is due. */
  | 'VOID';

/** Input for `issueKey`. */
export type IssueKeyInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Whether calls with the key are live or test calls. */
  environment?: Environment;
  /** When the key stops working; must be in the future. By default it does not expire. */
  expiresAt?: string | null | undefined;
  /** Limits in addition to those of the plan. At most 8, one per meter and window. */
  limits?: Array<KeyLimitInput>;
  /** Labels to attach to the key, at most 20. */
  metadata?: Array<MetadataEntryInput>;
  /** Name to tell keys apart, 1 to 100 characters. Kept forever, so it must not contain personal data. */
  name: string;
  /** What the key may do. */
  scopes?: Array<KeyScope>;
};

/** A limit for a key, in addition to those of the account’s plan. Example: `{ meter: "requests", window: DAY, max: "500" }`. */
export type KeyLimitInput = {
  /** Maximum use per window, in units of the meter; above 0. For requests per minute or hour 1 to 10000. */
  max: string | number;
  /** What is counted: `requests`, `cost`, or another meter of the service, e.g. `videos`. */
  meter: string | number;
  /** Time over which the limit counts. */
  window: LimitWindow;
};

/** What a key may do. No scope includes another. `@access` shows which scope a field needs. New values may be added. */
export type KeyScope =
  /** Manage the account: keys, webhooks, payments, and the audit log. A live key of an operator’s account acts as an operator. */
  | 'ADMIN'
  /** Read the catalogue, usage and limits. */
  | 'READ'
  /** Change data. No field needs it yet. */
  | 'WRITE';

/** Input for `leaveAccount`. */
export type LeaveAccountInput = {
  /** Id of the account, as in `me.accounts`. */
  accountId: string | number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
};

/** What happens when a limit is reached. New values may be added. */
export type LimitMode =
  /** A call that would exceed the limit is refused, and nothing is charged. */
  | 'HARD'
  /** Calls go on above the limit. What is used above it may be billed. */
  | 'SOFT';

/** Where a limit comes from. New values may be added. */
export type LimitSource =
  /** The key. It applies in addition to the limits of the plan. */
  | 'KEY'
  /** The account’s plan. All keys of the account share it. */
  | 'PLAN'
  /** The account’s plan, for each end customer. It applies in addition to the limits of the plan. */
  | 'SUBJECT';

/** Time over which a limit counts. Minutes and hours have no fixed start: counts such as `requests` use a sliding window, so any 60 seconds contain at most the limit; amounts such as `cost` are refilled evenly. New values may be added. */
export type LimitWindow =
  /** The account’s billing month; a calendar month in UTC if it pays nothing. */
  | 'BILLING_PERIOD'
  /** A calendar day in UTC. */
  | 'DAY'
  /** Any 60 minutes. Only if plans of the service have hourly limits. */
  | 'HOUR'
  /** The whole lifetime of the account or key. Never resets. */
  | 'LIFETIME'
  /** Any 60 seconds. */
  | 'MINUTE'
  /** A calendar month in UTC. */
  | 'MONTH';

/** State of a mail. New values may be added. */
export type MailStatus =
  /** It is not attempted again, unless it is replayed. */
  | 'GIVEN_UP'
  /** It will be attempted, for the first time or again. */
  | 'PENDING'
  /** The mail server has taken it. */
  | 'SENT';

/** What a user may do in an account. `@access` shows which roles a field accepts. New values may be added. */
export type MemberRole =
  /** Everything that developers may, and: manage members, webhooks and payments, and read the audit log. */
  | 'ADMIN'
  /** Manages payments and sees usage. */
  | 'BILLING'
  /** Manages keys and sees usage. */
  | 'DEVELOPER'
  /** May do everything. Only owners add, change and remove owners. */
  | 'OWNER'
  /** Sees usage, members, and keys without their secrets. Changes nothing. */
  | 'VIEWER';

/** A label for a key. Example: `{ name: "customer", value: "4711" }`. */
export type MetadataEntryInput = {
  /** Name of the label, 1 to 40 characters, unique within the key. */
  name: string;
  /** Value, at most 500 characters. Kept forever, so it must not contain personal data. */
  value: string;
};

/** An amount of one meter. */
export type MeterQuantityInput = {
  /** The meter: `requests`, `cost`, or another meter of the service, e.g. `videos`. */
  meter: string | number;
  /** The amount, in units of the meter. At most as many decimals as the meter has, and at most 1000000000000 of its smallest unit. */
  quantity: string | number;
};

/** Input for `openBillingPortal`. */
export type OpenBillingPortalInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
};

/** Input for `operatorAgreePrice`. */
export type OperatorAgreePriceInput = {
  /** Id of the account, e.g. `acc_…`. */
  accountId: string | number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Currency, e.g. `USD` (ISO 4217). */
  currency: string;
  /** How often the price is due. */
  interval: BillingInterval;
  /** Amount per interval in the smallest unit of the currency, e.g. cents: 50 to 99999999. */
  minorUnits: number;
  /** Id of the plan, e.g. `enterprise`. It need not have a price of its own. */
  planId: string | number;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
};

/** Input for `operatorVoidCredits` and `operatorRefundCredits`. */
export type OperatorCreditsInput = {
  /** Id of the account that has the credits. */
  accountId: string | number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the grant, as in `account.credits`. */
  grantId: string | number;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
};

/** Input for `operatorGrantCredits`. */
export type OperatorGrantCreditsInput = {
  /** Id of the account that gets the credits. */
  accountId: string | number;
  /** How many, at least 1. */
  amount: number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** From when they pay for no more use; moved to the next midnight of UTC. By default never. */
  expiresAt?: string | null | undefined;
  /** Of two grants that expire together, the smaller one is spent first. 0 to 1000. */
  priority?: number;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
};

/** Input for `operatorGrantPlan`. */
export type OperatorGrantPlanInput = {
  /** Id of the account, e.g. `acc_…`. */
  accountId: string | number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the plan, e.g. `team`. */
  planId: string | number;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
  /** When the grant ends, at most five years from now. Then the account is on the plan that it pays for, or on the default plan. By default it does not end. */
  until?: string | null | undefined;
};

/** Input for `operatorReplayMail`. */
export type OperatorReplayMailInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the mail, as `operator { mails }` shows it. */
  mailId: string | number;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
};

/** Input for `operatorResetQuota`. */
export type OperatorResetQuotaInput = {
  /** Whose limits count from zero. */
  accountId: string | number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Why, 1 to 500 characters. It is kept for ever: no personal data. */
  reason: string;
  /** DAY, MONTH or BILLING_PERIOD: limits over this window count from zero. */
  window: LimitWindow;
};

/** Input for `operatorRevokeKey`. */
export type OperatorRevokeKeyInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the key, e.g. `key_…`, not its secret. */
  keyId: string | number;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
};

/** Input for `operatorWithdrawPrice`. */
export type OperatorWithdrawPriceInput = {
  /** Id of the account, e.g. `acc_…`. */
  accountId: string | number;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the agreed price. */
  priceId: string | number;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
};

/** Names one pattern. Give exactly one field. */
export type PatternBy =
  {   /** The id, e.g. `pat_…`. */
  id: string | number; number?: never; slug?: never; }
  |  { id?: never;   /** The number in the order of publication, from 1. */
  number: number; slug?: never; }
  |  { id?: never; number?: never;   /** The slug, e.g. `circuit-breaker`. */
  slug: string; };

/** Selects patterns. All given conditions must hold. */
export type PatternFilter = {
  /** Slug of the category, e.g. `security`. `categories` lists all. */
  category?: string | null | undefined;
  /** The tier: `community`, `basic`, `premium` or `enterprise`. */
  tier?: string | null | undefined;
};

/** The order of a list of patterns. New values may be added. */
export type PatternOrder =
  /** The most used first, then the newest. */
  | 'MOST_USED'
  /** The newest first. */
  | 'NEWEST';

/** Input for `pauseSubscription`. */
export type PauseSubscriptionInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
};

/** How an event of the payment service was handled. New values may be added. */
export type PaymentEventEffect =
  /** The affected object was fetched again, and its changes were recorded. */
  | 'APPLIED'
  /** Nothing follows from it: events of its type are not followed, or what it is about is gone. */
  | 'NONE'
  /** It is from the other mode, live or test, and touches no account. */
  | 'OTHER_MODE'
  /** It is about a customer who belongs to none of the accounts. */
  | 'UNKNOWN_CUSTOMER';

/** Which events of the payment service; what is left out is not asked for. */
export type PaymentEventFilter = {
  /** Only those about this account. */
  accountId?: string | number | null | undefined;
  /** Only those with this effect. */
  effect?: PaymentEventEffect | null | undefined;
  /** Only of this type, e.g. `invoice.paid`. */
  type?: string | null | undefined;
  /** Only those that wait, or only those that do not. */
  waiting?: boolean | null | undefined;
};

/** Input for `recordUsage`. */
export type RecordUsageInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. Not required: a retry is recognised by the ids of its uses. */
  commandId?: string | null | undefined;
  /** 1 to 1000 uses. */
  uses: Array<UseInput>;
};

/** Input for `refreshSession`. */
export type RefreshSessionInput = {
  /** Ignored: the refresh token itself makes a retry safe. */
  commandId?: string | null | undefined;
  /** The latest refresh token of the session. */
  refreshToken: string;
};

/** Input for `registerUser`. */
export type RegisterUserInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** E-mail address, at most 254 characters. It must be unique; case does not matter. */
  email: string;
  /** The new name, at most 100 characters. */
  name?: string | null | undefined;
  /** 8 to 200 characters. Stored only as an argon2id hash. */
  password: string;
};

/** Input for `releaseReservation`. */
export type ReleaseReservationInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. Not required: a retry is recognised by the reservation and its amounts. */
  commandId?: string | null | undefined;
  /** Id of the reservation to end. */
  reservationId: string | number;
};

/** Input for `removeMember`. */
export type RemoveMemberInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the member, as in `account.members`. */
  userId: string | number;
};

/** Input for `renameAccount`. */
export type RenameAccountInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The new name, 1 to 100 characters. It is erased with the account. */
  name: string;
};

/** Selects the deliveries to replay: by ids or by a filter. */
export type ReplayWebhookDeliveriesInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. Sent again, it replays nothing more. */
  commandId?: string | null | undefined;
  /** Ids of deliveries, at most 1000. */
  deliveryIds?: Array<string | number> | null | undefined;
  /** Id of the endpoint, as in `account.webhookEndpoints`. */
  endpointId: string | number;
  /** Alternatively, all deliveries that match this filter. */
  filter?: WebhookDeliveryFilterInput | null | undefined;
};

/** Input for `requestEmailChange`. */
export type RequestEmailChangeInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The new e-mail address, at most 254 characters. A token is mailed to it. */
  email: string;
  /** The current password of the signed-in user. */
  password: string;
};

/** Input for `requestPasswordReset`. */
export type RequestPasswordResetInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** E-mail address of the user. Spaces around it and the case of letters do not matter. */
  email: string;
};

/** State of a reservation. New values may be added. */
export type ReservationStatus =
  /** Nobody ended it in time, so it was given back or charged, as the service is configured. It can still be settled or released. */
  | 'EXPIRED'
  /** Everything was given back. */
  | 'RELEASED'
  /** Amounts are held, and the reservation is open. */
  | 'RESERVED'
  /** The amounts in `settled` were charged. */
  | 'SETTLED';

/** Input for `reserveUsage`. */
export type ReserveUsageInput = {
  /** Id of the account that pays. Defaults to the key’s account. */
  accountId?: string | number | null | undefined;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. A retry returns the first reservation. */
  commandId?: string | null | undefined;
  /** What the work is for, e.g. a path: 1 to 200 characters. Must not contain personal data. */
  endpoint: string;
  /** Seconds until it expires, 1 to 86400. The default is set by the service. */
  expiresInSeconds?: number | null | undefined;
  /** Id of the key that pays. This or `accountId` is required. */
  keyId?: string | number | null | undefined;
  /** Largest amounts that the work can come to, each meter once, 1 to 20 entries. */
  quantities: Array<MeterQuantityInput>;
  /** Your own customer whom it is for, 1 to 200 characters: the limits for end customers hold, if the plan has any. May be personal data: it is erased with the account. */
  subject?: string | null | undefined;
};

/** Input for `resetPassword`. */
export type ResetPasswordInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** 8 to 200 characters. Stored only as an argon2id hash. */
  newPassword: string;
  /** The token from the mail. Valid once, within an hour. */
  token: string;
};

/** Input for `resumeSubscription`. */
export type ResumeSubscriptionInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
};

/** Input for `revokeKey`. */
export type RevokeKeyInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the key, e.g. `key_…`, not its secret. */
  keyId: string | number;
};

/** Input for `revokeOperator`. */
export type RevokeOperatorInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Reason, 1 to 500 characters. Kept forever, so it must not contain personal data. */
  reason: string;
  /** Id of the operator, e.g. `usr_…`. */
  userId: string | number;
};

/** Input for `rotateKey`. */
export type RotateKeyInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** How long the current secret keeps working, in seconds: 0 to 2592000 (30 days). */
  graceSeconds?: number;
  /** Id of the key, e.g. `key_…`, not its secret. */
  keyId: string | number;
};

/** Input for `rotateWebhookSecret`. */
export type RotateWebhookSecretInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the endpoint, as in `account.webhookEndpoints`. */
  endpointId: string | number;
  /** How long webhooks are also signed with the previous secret, in seconds: 0 to 604800 (7 days). */
  overlapSeconds?: number;
};

/** A category of words and phrases. */
export type RuleCategoryInput = {
  /** What it means, for people, 1 to 500 characters. */
  description: string;
  /** Name in capitals, e.g. `HARM_LANGUAGE`, at most 40 characters. */
  name: string;
  /** What is looked for, by language. */
  patterns: Array<RulePatternsInput>;
};

/** Words by which a language is known. */
export type RuleLanguageInput = {
  /** Frequent words that no other language of the set has, at most 100. */
  common: Array<string>;
  /** Code of the language: two or three letters, e.g. `en`. */
  language: string;
};

/** What a category looks for in one language. Words in a row, in any case: `a|b` for either word, `a?` for a word that may be missing, ` ... ` for anything within the line, ` / ` between alternatives. */
export type RulePatternsInput = {
  /** Code of the language: two or three letters, e.g. `en`. */
  language?: string;
  /** Strong patterns, at most 200. An entry has one hit of each category, and a phrase goes before a token. */
  phrases?: Array<string>;
  /** Weak patterns, at most 200: what may mean something else. */
  tokens?: Array<string>;
};

/** Two categories that are worth a row where the second follows the first. */
export type RuleSequenceInput = {
  /** Name of the category that comes first. */
  first: string;
  /** Name of the category that follows. */
  second: string;
};

/** Categories of words and phrases, and which of them in a row are worth a row. Nothing that they say makes an analysis slow: each word of a file is looked at once. */
export type RuleSetRulesInput = {
  /** Categories, 1 to 30. */
  categories: Array<RuleCategoryInput>;
  /** Code of the language that is taken where a text shows none, e.g. `en`. */
  defaultLanguage?: string;
  /** Words by which several languages are told from each other. Languages of the service that are left out have the service's own. */
  languages?: Array<RuleLanguageInput>;
  /** Sequences, at most 30. */
  sequences?: Array<RuleSequenceInput>;
  /** Entries with findings behind the first of a sequence in which the second may stand, 1 to 100. */
  window?: number;
};

/** Rules, and a text to try them on. */
export type RuleSetTrialInput = {
  /** What is looked for. At most 65536 bytes as JSON. */
  rules: RuleSetRulesInput;
  /** A text as a file would hold it, 1 to 2000 characters. It is kept nowhere. */
  sample: string;
};

/** Input for `setCreditTopUp`. */
export type SetCreditTopUpInput = {
  /** Buy when fewer credits than these are left, at least 1. Required with a pack. */
  below?: number | null | undefined;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Purchases a month of UTC at most, 1 to 100. */
  maxPerMonth?: number;
  /** The pack to buy: see `creditPacks`. Null for buying nothing any more. */
  packId?: string | number | null | undefined;
};

/** Input for `setOverage`. */
export type SetOverageInput = {
  /** Whether calls above the plan’s limits go on and are billed. Otherwise they are refused. */
  allowed: boolean;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The most that it may cost; by default no cap. */
  spendCap?: SpendCapInput | null | undefined;
};

/** Input for `settleReservation`. */
export type SettleReservationInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. Not required: a retry is recognised by the reservation and its amounts. */
  commandId?: string | null | undefined;
  /** How long the work took, in milliseconds, 0 to 86,400,000; more counts as so much. Reports show it. */
  durationMs?: number | null | undefined;
  /** Real amounts, each meter once, at most 20. They may exceed what was reserved. Meters that are not given are charged as reserved. */
  quantities?: Array<MeterQuantityInput>;
  /** Id of the reservation to end. */
  reservationId: string | number;
};

/** Input for `signIn`. */
export type SignInInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** E-mail address. Case does not matter. */
  email: string;
  /** Password of the user. */
  password: string;
};

/** Input for `signOutEverywhere`. */
export type SignOutEverywhereInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
};

/** Input for `signOut`. */
export type SignOutInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
};

/** The most that overage may cost in a billing period. */
export type SpendCapInput = {
  /** The currency in which the plan is paid, e.g. `USD`. */
  currency: string;
  /** In the smallest unit of the currency, e.g. cents. 0 to 99999999. */
  minorUnits: number;
  /** What happens once it is reached. */
  whenReached?: CapRule;
};

/** What to charge for the call that came with the key. */
export type SpendInput = {
  /** Path that was called, 1 to 200 characters, e.g. `/v1/videos`. Must not contain personal data. */
  endpoint: string;
  /** HTTP method in capitals, e.g. `POST`. */
  method?: string;
  /** Name of the operation, at most 200 characters. */
  operation?: string | null | undefined;
  /** Amounts to charge, each meter once, at most 20. `requests` defaults to 1. Limits on meters that are not given are not checked. */
  quantities: Array<MeterQuantityInput>;
  /** True to only reserve the amounts, if the real ones are known later. Then settle or release the returned `reservation`. */
  reserve?: boolean;
  /** Label of your own, e.g. a data source; at most 200 characters. */
  source?: string | null | undefined;
  /** Your own customer whom it is for, 1 to 200 characters: the limits for end customers hold, if the plan has any. May be personal data: it is erased with the account. */
  subject?: string | null | undefined;
};

/** Input for `startCheckout`. */
export type StartCheckoutInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Code of a coupon, in upper or lower case. */
  coupon?: string | null | undefined;
  /** Id of the price to subscribe to, as in `prices`. */
  priceId: string | number;
};

/** State of a subscription. New values may be added. */
export type SubscriptionStatus =
  /** Paid in full. */
  | 'ACTIVE'
  /** A payment failed. The plan stays in force until `graceEndsAt`. */
  | 'PAST_DUE'
  /** Nothing is billed, and the account has the limits of the default plan, until `resumeSubscription`. */
  | 'PAUSED'
  /** The account has the limits of the default plan until the open invoice is paid. */
  | 'SUSPENDED'
  /** In its trial. The first payment is due at `trialEndsAt`. */
  | 'TRIALING';

/** Input for `updateProfile`. */
export type UpdateProfileInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The new name, at most 100 characters. */
  name: string;
};

/** Input for `updateRuleSet`. */
export type UpdateRuleSetInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** For people, 1 to 100 characters. By default it stays. */
  name?: string | null | undefined;
  /** Id of the rule set to change, as in `account.ruleSets`. */
  ruleSetId: string | number;
  /** All rules of the new version. At most 65536 bytes as JSON. */
  rules: RuleSetRulesInput;
};

/** Changes to a webhook endpoint. Fields that are omitted stay unchanged. */
export type UpdateWebhookEndpointInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** False disables the endpoint; true enables it, also after it was disabled automatically. */
  enabled?: boolean | null | undefined;
  /** Id of the endpoint, as in `account.webhookEndpoints`. */
  endpointId: string | number;
  /** Types of events as in `webhookEventTypes`, or `*` for all, including types of later versions. */
  eventTypes?: Array<string> | null | undefined;
  /** An https URL of at most 1000 characters, without credentials or fragment, e.g. `https://example.com/webhooks`. It must resolve to a public address. */
  url?: string | null | undefined;
};

/** What usage is grouped by. New values may be added. */
export type UsageDimension =
  /** The account, by its id: for operators, who see the usage of all. */
  | 'ACCOUNT'
  /** The route, e.g. `/graphql`, or what a back end has reported. */
  | 'ENDPOINT'
  /** The root fields that were asked for, e.g. `patterns`; of a call with several all of them, with commas between. Empty for what is no GraphQL. */
  | 'FIELD'
  /** The key that was used, by its id; empty for use by the account as a whole. */
  | 'KEY'
  /** The operation’s name, or its root fields where it has none. */
  | 'OPERATION'
  /** The plan in force when it was recorded, by its id; empty for what is older than this field. */
  | 'PLAN'
  /** The data source that an answer came from; empty where none was told. */
  | 'SOURCE'
  /** How the call ended: `ok`, `error`, `timeout` or `refused`. */
  | 'STATUS'
  /** End customer that a back end has named, as a random id in place of the name. Empty if none was named. */
  | 'SUBJECT';

/** Which usage is meant. All that is given must hold. */
export type UsageFilter = {
  /** The route, e.g. `/graphql`, or what was reported. */
  endpoint?: string | null | undefined;
  /** Calls that asked for this root field, e.g. `patterns`, whatever else they asked for. */
  field?: string | null | undefined;
  /** Usage of this key. */
  keyId?: string | number | null | undefined;
  /** The operation’s name, or its root fields where it has none, with commas between. */
  operation?: string | null | undefined;
  /** Usage under this plan. */
  planId?: string | number | null | undefined;
  /** Usage with these properties, of those that reports go by. */
  properties?: Array<MetadataEntryInput> | null | undefined;
  /** The data source. */
  source?: string | null | undefined;
  /** How calls ended. */
  status?: CallStatus | null | undefined;
  /** The end customer, as the back end names them. */
  subject?: string | null | undefined;
};

/** How finely usage is summed. New values may be added. */
export type UsageInterval =
  /** By the day of the time zone, at most 400 days at once. */
  | 'DAY'
  /** By the hour, at most 31 days at once. */
  | 'HOUR'
  /** By the month of the time zone, at most 120 months at once. */
  | 'MONTH'
  /** By fifteen minutes, at most 7 days at once. */
  | 'QUARTER_HOUR';

/** Something that a customer has used. Each use is checked on its own: a problem with one rejects only that one. */
export type UseInput = {
  /** Id of the account that pays. Defaults to the key’s account. */
  accountId?: string | null | undefined;
  /** When it happened: RFC 3339 with a time zone, e.g. `2026-11-23T10:15:30Z`. Defaults to now. At most 5 minutes in the future. */
  at?: string | null | undefined;
  /** How long it took, in milliseconds, 0 to 86,400,000; more counts as so much. */
  durationMs?: number | null | undefined;
  /** Of a call that your API has answered: its route, 1 to 200 characters, e.g. `/v1/data`. Reports group by it. */
  endpoint?: string | null | undefined;
  /** Id of the key that was used. This or `accountId` is required. */
  keyId?: string | null | undefined;
  /** Required. The meter: `requests`, `cost`, or another meter of the service, e.g. `videos`. */
  meter?: string | null | undefined;
  /** Its HTTP method, in capitals. */
  method?: string | null | undefined;
  /** Further labels, at most 10. Kept forever, so they must not contain personal data. */
  properties?: Array<MetadataEntryInput> | null | undefined;
  /** Amount in units of the meter, above 0; of the aggregations `max` and `latest` it may be 0, of `unique` only 1. Defaults to 1. */
  quantity?: unknown;
  /** The data source of its answer, 1 to 200 characters. Reports group by it. */
  source?: string | null | undefined;
  /** How it ended: OK, which is the default, ERROR or TIMEOUT. Its quantity counts all the same. */
  status?: CallStatus | null | undefined;
  /** Your own customer who used it, 1 to 200 characters. May be personal data: it is erased with the account. */
  subject?: string | null | undefined;
  /** Required. Id of your own, 1 to 128 bytes, unique within the account. However often it is sent, the use counts once. Ids that customers report have at most 124 bytes, and are stored with `own.` before them. */
  useId?: string | null | undefined;
};

/** Result of a reported use. All except DUPLICATE and REJECTED are stored. New values may be added. */
export type UseStatus =
  /** Stored, and counted in the period in which it happened. */
  | 'ACCEPTED'
  /** A use with this id and content is already stored. Not counted again. */
  | 'DUPLICATE'
  /** Stored. The period in which it happened is closed, so it counts in the current one. */
  | 'LATE'
  /** Stored and counted, although a limit was used up. */
  | 'OVER_LIMIT'
  /** Stored. If another node has just stored a use with the same id, this one will not be counted. */
  | 'PROVISIONAL'
  /** Not stored. See `refusal`. */
  | 'REJECTED';

/** Input for `verifyEmail`. */
export type VerifyEmailInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** The token from the mail. Valid for 7 days. */
  token: string;
};

/** Input for `verifyKey`: a key that a customer has sent to your back end. */
export type VerifyKeyInput = {
  /** IP address of a caller who has sent no key. Where the service can be tried without one, each address (of IPv6 each /64) has the limits of the demo plan, and its use counts as test use. */
  address?: string | null | undefined;
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. The same one, sent again, spends nothing more and returns the first use or reservation, if the key still works. */
  commandId?: string | null | undefined;
  /** Required environment. By default either is accepted. */
  environment?: Environment | null | undefined;
  /** Scopes that the key must have. */
  scopes?: Array<KeyScope>;
  /** The secret, as the customer has sent it. Leave it out for a caller who has sent none. */
  secret?: string | null | undefined;
  /** What to charge if the key is valid: to all limits, or to none. Without a `commandId` a retry charges again. */
  spend?: SpendInput | null | undefined;
};

/** Selects deliveries. All given conditions must hold. */
export type WebhookDeliveryFilterInput = {
  /** Types of events, at most 100. */
  eventTypes?: Array<string> | null | undefined;
  /** Earliest time of the event, inclusive. */
  from?: string | null | undefined;
  /** State of the delivery. */
  status?: WebhookDeliveryStatus | null | undefined;
  /** Latest time of the event, exclusive. */
  to?: string | null | undefined;
};

/** State of a delivery. New values may be added. */
export type WebhookDeliveryStatus =
  /** The receiver answered with an HTTP status of 200 to 299. */
  | 'DELIVERED'
  /** It is not attempted again, unless it is replayed. */
  | 'GIVEN_UP'
  /** It will be attempted, for the first time or again. */
  | 'PENDING';

/** Why an endpoint was disabled automatically. New values may be added. */
export type WebhookDisabledReason =
  /** Deliveries failed for three days, and none succeeded meanwhile. */
  | 'FAILING'
  /** The receiver answered 410 Gone. */
  | 'GONE';

/** Input for `deleteWebhookEndpoint` and `testWebhookEndpoint`. */
export type WebhookEndpointInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the endpoint, as in `account.webhookEndpoints`. */
  endpointId: string | number;
};

/** Whether events are sent to an endpoint. New values may be added. */
export type WebhookStatus =
  /** Events are not sent. Events of this time are not sent later, either. */
  | 'DISABLED'
  /** Events are sent. */
  | 'ENABLED';

/** Input for `withdrawInvitation`. */
export type WithdrawInvitationInput = {
  /** Idempotency key of your own, 1 to 128 bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets. */
  commandId?: string | null | undefined;
  /** Id of the invitation, as in `account.invitations`. */
  invitationId: string | number;
};

export type AcceptInvitationMutationVariables = Exact<{
  input: AcceptInvitationInput;
}>;


export type AcceptInvitationMutation = { acceptInvitation:
    | { __typename: 'AcceptInvitationPayload', position: string, membership: { accountId: string, role: MemberRole, joinedAt: string } }
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type AccountAuditLogQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type AccountAuditLogQuery = { me: { account: { auditLog: { nodes: Array<{ id: string, at: string, action: string, subject: string, reason: string | null, actor: { type: AuditActorType, actorId: string | null, asOperator: boolean } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } } | null };

export type AgreedPricesQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: AgreedPriceFilter | null | undefined;
}>;


export type AgreedPricesQuery = { operator: { agreedPrices: { nodes: Array<{ accountId: string, reason: string | null, agreedAt: string, withdrawnAt: string | null, price: { id: string, interval: BillingInterval, plan: { id: string }, amount: { minorUnits: unknown, exponent: number, currency: unknown } } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type AnalysisChangedSubscriptionVariables = Exact<{
  id: string | number;
}>;


export type AnalysisChangedSubscription = { analysisChanged: { id: string, status: AnalysisStatus, progress: number | null, endedAt: string | null, resultUrl: string | null } | null };

export type AnalysisQueryVariables = Exact<{
  id: string | number;
}>;


export type AnalysisQuery = { analysis: { id: string, status: AnalysisStatus, requestedAt: string, endedAt: string | null, fileBytes: number | null, fileHash: string | null, entryCount: number | null, eventCount: number | null, ruleSetId: string | null, rulesVersion: number | null, uploadUrl: string | null, resultUrl: string | null, patterns: Array<{ name: string, count: number }>, failure: { reason: AnalysisFailureReason, refunded: boolean } | null } | null };

export type AuditLogQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: AuditFilter | null | undefined;
}>;


export type AuditLogQuery = { operator: { auditLog: { nodes: Array<{ id: string, at: string, action: string, accountId: string | null, subject: string, reason: string | null, address: string | null, actor: { type: AuditActorType, actorId: string | null, asOperator: boolean } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type BuyCreditsMutationVariables = Exact<{
  input: BuyCreditsInput;
}>;


export type BuyCreditsMutation = { buyCredits:
    | { __typename: 'BuyCreditsPayload', url: string | null, expiresAt: string | null, replayed: boolean, position: string }
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
   | null };

export type CancelSubscriptionMutationVariables = Exact<{
  input: CancelSubscriptionInput;
}>;


export type CancelSubscriptionMutation = { cancelSubscription:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'PaymentRequired', code: string, message: string }
    | { __typename: 'SubscriptionPayload', position: string, subscription: { status: SubscriptionStatus, cancelsAt: string | null, plan: { id: string }, pendingChange: { effectiveAt: string | null, status: ChangeStatus, plan: { id: string } } | null } | null }
   | null };

export type ChangeMemberRoleMutationVariables = Exact<{
  input: ChangeMemberRoleInput;
}>;


export type ChangeMemberRoleMutation = { changeMemberRole:
    | { __typename: 'ChangeMemberRolePayload', position: string, member: { userId: string, role: MemberRole, firstOwner: boolean, joinedAt: string } }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type ChangePasswordMutationVariables = Exact<{
  input: ChangePasswordInput;
}>;


export type ChangePasswordMutation = { changePassword:
    | { __typename: 'ChangePasswordPayload', replayed: boolean, position: string, session: { sessionToken: string, refreshToken: string, expiresAt: string } | null }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'SignInRefused', code: string, message: string }
   | null };

export type ChangePlanMutationVariables = Exact<{
  input: ChangePlanInput;
}>;


export type ChangePlanMutation = { changePlan:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'PaymentRequired', code: string, message: string }
    | { __typename: 'SubscriptionPayload', position: string, subscription: { status: SubscriptionStatus, cancelsAt: string | null, plan: { id: string }, pendingChange: { effectiveAt: string | null, status: ChangeStatus, plan: { id: string } } | null } | null }
   | null };

export type ConfirmEmailChangeMutationVariables = Exact<{
  input: ConfirmEmailChangeInput;
}>;


export type ConfirmEmailChangeMutation = { confirmEmailChange:
    | { __typename: 'ConfirmEmailChangePayload', position: string }
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
   | null };

export type CorrectUsageMutationVariables = Exact<{
  input: CorrectUsageInput;
}>;


export type CorrectUsageMutation = { correctUsage:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'CorrectUsagePayload', useId: string, accountId: string, replayed: boolean, position: string, reversed: Array<{ meter: string, quantity: string }> }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type CreateAnalysesMutationVariables = Exact<{
  input: CreateAnalysesInput;
}>;


export type CreateAnalysesMutation = { createAnalyses:
    | { __typename: 'CreateAnalysesPayload', replayed: boolean, results: Array<
        | { __typename: 'CreateAnalysisPayload', analysis: { id: string, status: AnalysisStatus, uploadUrl: string | null } }
        | { __typename: 'InvalidInput', code: string, message: string }
        | { __typename: 'NotAllowed', code: string, message: string }
        | { __typename: 'NotFound', code: string, message: string }
        | { __typename: 'PaymentRequired', code: string, message: string }
      > }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type CreateAnalysisMutationVariables = Exact<{
  input: CreateAnalysisInput;
}>;


export type CreateAnalysisMutation = { createAnalysis:
    | { __typename: 'CreateAnalysisPayload', replayed: boolean, analysis: { id: string, status: AnalysisStatus, uploadUrl: string | null } }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'PaymentRequired', code: string, message: string }
   | null };

export type CreateRuleSetMutationVariables = Exact<{
  input: CreateRuleSetInput;
}>;


export type CreateRuleSetMutation = { createRuleSet:
    | { __typename: 'CreateRuleSetPayload', replayed: boolean, ruleSet: { id: string, name: string | null, version: number } }
    | { __typename: 'InvalidInput', code: string, message: string, issues: Array<{ path: Array<string>, message: string }> }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type CreateWebhookEndpointMutationVariables = Exact<{
  input: CreateWebhookEndpointInput;
}>;


export type CreateWebhookEndpointMutation = { createWebhookEndpoint:
    | { __typename: 'CreateWebhookEndpointPayload', secret: string | null, replayed: boolean, position: string, endpoint: { id: string, url: string | null, eventTypes: Array<string>, status: WebhookStatus, allAccounts: boolean } }
    | { __typename: 'InvalidInput', code: string, message: string, issues: Array<{ path: Array<string>, code: string, message: string }> }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'PlanRequired', code: string, message: string }
   | null };

export type CreditPacksQueryVariables = Exact<{ [key: string]: never; }>;


export type CreditPacksQuery = { creditPacks: Array<{ id: string, name: string, credits: string, months: number, price: { minorUnits: unknown, exponent: number, currency: unknown } }> | null };

export type CreditsQueryVariables = Exact<{ [key: string]: never; }>;


export type CreditsQuery = { account: { credits: { available: string, balance: string, blocked: boolean, grants: Array<{ id: string, source: CreditGrantSource, amount: string, remaining: string, expiresAt: string | null, priority: number }> } | null } | null };

export type DeleteAccountMutationVariables = Exact<{
  input: DeleteAccountInput;
}>;


export type DeleteAccountMutation = { deleteAccount:
    | { __typename: 'DeleteAccountPayload', accountId: string, position: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type DeleteAnalysisMutationVariables = Exact<{
  input: DeleteAnalysisInput;
}>;


export type DeleteAnalysisMutation = { deleteAnalysis:
    | { __typename: 'DeleteAnalysisPayload', analysisId: string, replayed: boolean }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type DeleteRuleSetMutationVariables = Exact<{
  input: DeleteRuleSetInput;
}>;


export type DeleteRuleSetMutation = { deleteRuleSet:
    | { __typename: 'DeleteRuleSetPayload', ruleSetId: string, replayed: boolean }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type DeleteWebhookEndpointMutationVariables = Exact<{
  input: WebhookEndpointInput;
}>;


export type DeleteWebhookEndpointMutation = { deleteWebhookEndpoint:
    | { __typename: 'DeleteWebhookEndpointPayload', endpointId: string, position: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type DisputesQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type DisputesQuery = { operator: { disputes: { nodes: Array<{ id: string, accountId: string | null, purchase: DisputedPurchase, status: DisputeStatus, reason: string, openedAt: string, respondBy: string | null, closedAt: string | null, paymentId: string | null, invoiceId: string | null, amount: { minorUnits: unknown, exponent: number, currency: unknown } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type GrantOperatorMutationVariables = Exact<{
  input: GrantOperatorInput;
}>;


export type GrantOperatorMutation = { grantOperator:
    | { __typename: 'GrantOperatorPayload', userId: string, position: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type InvitationsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type InvitationsQuery = { me: { account: { id: string, invitations: { nodes: Array<{ id: string, email: string | null, role: MemberRole }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } } | null };

export type InviteMemberMutationVariables = Exact<{
  input: InviteMemberInput;
}>;


export type InviteMemberMutation = { inviteMember:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'InviteMemberPayload', position: string, invitation: { id: string, email: string | null, role: MemberRole, invitedAt: string, expiresAt: string } }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'PlanRequired', code: string, message: string, plan: { id: string } }
   | null };

export type InvoiceDifferencesQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type InvoiceDifferencesQuery = { operator: { invoiceDifferences: { nodes: Array<{ accountId: string, invoice: { id: string, number: string | null, issuedAt: string | null, total: { minorUnits: unknown, exponent: number, currency: unknown } }, differences: Array<{ subject: InvoiceDifferenceSubject, line: string | null, expected: { minorUnits: unknown, exponent: number, currency: unknown }, actual: { minorUnits: unknown, exponent: number, currency: unknown } }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type InvoiceQueryVariables = Exact<{
  id: string | number;
}>;


export type InvoiceQuery = { invoice: { id: string, number: string | null, paymentReference: string | null, status: InvoiceStatus, issuedAt: string | null, subtotal: { minorUnits: unknown, exponent: number, currency: unknown }, discount: { minorUnits: unknown, exponent: number, currency: unknown }, discounts: Array<{ coupon: string | null, name: string, amount: { minorUnits: unknown, exponent: number, currency: unknown } }>, tax: { minorUnits: unknown, exponent: number, currency: unknown }, total: { minorUnits: unknown, exponent: number, currency: unknown }, due: { minorUnits: unknown, exponent: number, currency: unknown } } | null };

export type InvoicesQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type InvoicesQuery = { account: { invoices: { nodes: Array<{ id: string, number: string | null, paymentReference: string | null, status: InvoiceStatus, issuedAt: string | null, period: { from: string, to: string }, total: { minorUnits: unknown, exponent: number, currency: unknown }, discounts: Array<{ coupon: string | null, name: string, amount: { minorUnits: unknown, exponent: number, currency: unknown } }>, lines: Array<{ kind: InvoiceLineKind, description: string, quantity: unknown, meter: string | null, eventIds: Array<string>, total: { minorUnits: unknown, exponent: number, currency: unknown } }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type IssueKeyMutationVariables = Exact<{
  input: IssueKeyInput;
}>;


export type IssueKeyMutation = { issueKey:
    | { __typename: 'InvalidInput', code: string, message: string, issues: Array<{ path: Array<string>, code: string, message: string }> }
    | { __typename: 'IssueKeyPayload', secret: string | null, replayed: boolean, position: string, key: { id: string, name: string, environment: Environment, scopes: Array<KeyScope>, prefix: string, last4: string, issuedAt: string, expiresAt: string | null, rotatedAt: string | null, graceEndsAt: string | null, limits: Array<{ meter: string, window: LimitWindow, max: string }>, metadata: Array<{ name: string, value: string }> } }
   | null };

export type KeysQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
}>;


export type KeysQuery = { me: { account: { id: string, keys: { nodes: Array<{ id: string, name: string, environment: Environment, scopes: Array<KeyScope>, prefix: string, last4: string, issuedAt: string, expiresAt: string | null, rotatedAt: string | null, graceEndsAt: string | null, revokedAt: string | null, lastUsedAt: string | null, limits: Array<{ meter: string, window: LimitWindow, max: string }>, metadata: Array<{ name: string, value: string }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } } | null };

export type LeaveAccountMutationVariables = Exact<{
  input: LeaveAccountInput;
}>;


export type LeaveAccountMutation = { leaveAccount:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'LeaveAccountPayload', accountId: string, position: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type LimitsQueryVariables = Exact<{
  accountId?: string | number | null | undefined;
}>;


export type LimitsQuery = { account: { id: string, plan: { id: string }, limits: Array<{ name: string, meter: string, window: LimitWindow, source: LimitSource, mode: LimitMode, max: string, used: string, remaining: string, resetAt: string | null }> | null } | null };

export type MeQueryVariables = Exact<{ [key: string]: never; }>;


export type MeQuery = { me: { account: { id: string, name: string | null, plan: { id: string, name: string, tiers: Array<string>, features: Array<{ name: string, value: string | null }> } }, user: { id: string, email: string | null, emailVerified: boolean, name: string | null } | null } | null };

export type MembersQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type MembersQuery = { me: { account: { id: string, members: { nodes: Array<{ userId: string, role: MemberRole, firstOwner: boolean, user: { id: string, email: string | null, name: string | null } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } } | null };

export type MyAccountsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type MyAccountsQuery = { me: { role: MemberRole | null, accounts: { nodes: Array<{ accountId: string, accountName: string | null, role: MemberRole, owner: { id: string, name: string | null } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type MyAnalysesQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type MyAnalysesQuery = { myAnalyses: { nodes: Array<{ id: string, status: AnalysisStatus, requestedAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null };

export type OpenBillingPortalMutationVariables = Exact<{
  input: OpenBillingPortalInput;
}>;


export type OpenBillingPortalMutation = { openBillingPortal:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'OpenBillingPortalPayload', url: string }
   | null };

export type OperatorAccountQueryVariables = Exact<{
  id: string | number;
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: AuditFilter | null | undefined;
}>;


export type OperatorAccountQuery = { operator: { account: { id: string, plan: { id: string }, auditLog: { nodes: Array<{ id: string, at: string, action: string, accountId: string | null, subject: string, reason: string | null, address: string | null, actor: { type: AuditActorType, actorId: string | null, asOperator: boolean } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null } | null };

export type OperatorAccountsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: AccountFilter | null | undefined;
}>;


export type OperatorAccountsQuery = { operator: { accounts: { nodes: Array<{ id: string, plan: { id: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type OperatorAgreePriceMutationVariables = Exact<{
  input: OperatorAgreePriceInput;
}>;


export type OperatorAgreePriceMutation = { operatorAgreePrice:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorPricePayload', accountId: string, replayed: boolean, position: string, price: { id: string, interval: BillingInterval, plan: { id: string }, amount: { minorUnits: unknown, exponent: number, currency: unknown } } | null }
   | null };

export type OperatorGrantCreditsMutationVariables = Exact<{
  input: OperatorGrantCreditsInput;
}>;


export type OperatorGrantCreditsMutation = { operatorGrantCredits:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorCreditsPayload', replayed: boolean, position: string, grant: { id: string, amount: string, remaining: string, expiresAt: string | null, refunded: boolean } | null, credits: { available: string, balance: string, blocked: boolean } }
   | null };

export type OperatorGrantPlanMutationVariables = Exact<{
  input: OperatorGrantPlanInput;
}>;


export type OperatorGrantPlanMutation = { operatorGrantPlan:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorGrantPlanPayload', accountId: string, position: string, plan: { id: string } | null }
   | null };

export type OperatorMailsQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  status?: MailStatus | null | undefined;
}>;


export type OperatorMailsQuery = { operator: { mails: { nodes: Array<{ id: string, kind: string, recipientId: string, status: MailStatus, givenUpReason: string | null, createdAt: string, nextAttemptAt: string | null, attempts: Array<{ at: string, durationMs: number, status: number | null, failure: string | null }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type OperatorMetricsQueryVariables = Exact<{
  asOf?: string | null | undefined;
}>;


export type OperatorMetricsQuery = { operator: { metrics: { asOf: string, accounts: number, newAccounts: number, deletedAccounts: number, calls: string, limitHits: string, errors: string, accountsByPlan: Array<{ planId: string, accounts: number }>, denials: Array<{ limit: string, code: string, calls: string }>, costDistribution: { p50: number, p95: number, p99: number, classes: Array<{ upTo: number | null, calls: string }> } | null, endpoints: Array<{ endpoint: string, calls: string, errors: string, errorRate: number, meanDurationMs: number | null }>, topAccounts: Array<{ accountId: string, calls: string, refused: string, totals: Array<{ meter: string, quantity: string }> }> } | null } | null };

export type OperatorRefundCreditsMutationVariables = Exact<{
  input: OperatorCreditsInput;
}>;


export type OperatorRefundCreditsMutation = { operatorRefundCredits:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorCreditsPayload', replayed: boolean, position: string, grant: { id: string, amount: string, remaining: string, expiresAt: string | null, refunded: boolean } | null, credits: { available: string, balance: string, blocked: boolean } }
   | null };

export type OperatorReplayMailMutationVariables = Exact<{
  input: OperatorReplayMailInput;
}>;


export type OperatorReplayMailMutation = { operatorReplayMail:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorReplayMailPayload', mailId: string, replayed: boolean, position: string }
   | null };

export type OperatorResetQuotaMutationVariables = Exact<{
  input: OperatorResetQuotaInput;
}>;


export type OperatorResetQuotaMutation = { operatorResetQuota:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorResetQuotaPayload', accountId: string, replayed: boolean, position: string, limits: Array<{ name: string, used: string, remaining: string, resetAt: string | null }> }
   | null };

export type OperatorRevenueQueryVariables = Exact<{
  from?: string | null | undefined;
  to?: string | null | undefined;
}>;


export type OperatorRevenueQuery = { operator: { revenue: Array<{ currency: unknown, payingAccounts: number, churnRate: number | null, trialsStarted: number, trialsConverted: number, oneTimePayments: number, mrr: { minorUnits: unknown, exponent: number, currency: unknown }, movements: { new: { minorUnits: unknown }, expansion: { minorUnits: unknown }, contraction: { minorUnits: unknown }, churn: { minorUnits: unknown }, reactivation: { minorUnits: unknown } }, arpu: { minorUnits: unknown } | null, invoiced: { minorUnits: unknown }, oneTime: { minorUnits: unknown }, paidPerPayment: { minorUnits: unknown } | null, refunds: { minorUnits: unknown }, disputed: { minorUnits: unknown } }> | null } | null };

export type OperatorRevokeKeyMutationVariables = Exact<{
  input: OperatorRevokeKeyInput;
}>;


export type OperatorRevokeKeyMutation = { operatorRevokeKey:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorRevokeKeyPayload', accountId: string, position: string, key: { id: string, revokedAt: string | null } }
   | null };

export type OperatorVoidCreditsMutationVariables = Exact<{
  input: OperatorCreditsInput;
}>;


export type OperatorVoidCreditsMutation = { operatorVoidCredits:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorCreditsPayload', replayed: boolean, position: string, grant: { id: string, amount: string, remaining: string, expiresAt: string | null, refunded: boolean } | null, credits: { available: string, balance: string, blocked: boolean } }
   | null };

export type OperatorWithdrawPriceMutationVariables = Exact<{
  input: OperatorWithdrawPriceInput;
}>;


export type OperatorWithdrawPriceMutation = { operatorWithdrawPrice:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'OperatorPricePayload', accountId: string, replayed: boolean, position: string, price: { id: string, interval: BillingInterval, plan: { id: string }, amount: { minorUnits: unknown, exponent: number, currency: unknown } } | null }
   | null };

export type OverageCorrectionsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type OverageCorrectionsQuery = { operator: { overageCorrections: { nodes: Array<{ accountId: string, correctedAt: string, eventIds: Array<string>, invoiceId: string | null, creditNotes: Array<string>, total: { minorUnits: unknown, exponent: number, currency: unknown }, periods: Array<{ from: string, to: string }>, owed: { minorUnits: unknown, exponent: number, currency: unknown } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type OverageQueryVariables = Exact<{ [key: string]: never; }>;


export type OverageQuery = { account: { overage: { allowed: boolean, spendCap: { whenReached: CapRule, amount: { minorUnits: unknown, exponent: number, currency: unknown } } | null, period: { from: string, to: string } | null, spent: { minorUnits: unknown, exponent: number, currency: unknown } | null } | null } | null };

export type PatternQueryVariables = Exact<{
  by: PatternBy;
}>;


export type PatternQuery = { pattern:
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'Pattern', id: string, slug: string, name: string, category: string, tier: string, tags: Array<string>, description: string, useCount: number | null, example: { language: string, text: string } | null }
    | { __typename: 'PlanRequired', code: string, message: string, plan: { id: string } }
   | null };

export type PatternsQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  filter?: PatternFilter | null | undefined;
  orderBy?: PatternOrder;
}>;


export type PatternsQuery = { patterns: { totalCount: number | null, nodes: Array<{ id: string, slug: string, name: string, category: string, tier: string, useCount: number | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null };

export type PauseSubscriptionMutationVariables = Exact<{
  input: PauseSubscriptionInput;
}>;


export type PauseSubscriptionMutation = { pauseSubscription:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'PaymentRequired', code: string, message: string }
    | { __typename: 'SubscriptionPayload', position: string, subscription: { status: SubscriptionStatus, cancelsAt: string | null, plan: { id: string }, pendingChange: { effectiveAt: string | null, status: ChangeStatus, plan: { id: string } } | null } | null }
   | null };

export type PaymentEventsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: PaymentEventFilter | null | undefined;
}>;


export type PaymentEventsQuery = { operator: { paymentEvents: { nodes: Array<{ id: string, type: string, about: string | null, live: boolean, backfilled: boolean, createdAt: string, receivedAt: string, handledAt: string | null, effect: PaymentEventEffect | null, accountId: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type PlanChangePreviewQueryVariables = Exact<{
  priceId: string | number;
  coupon?: string | null | undefined;
}>;


export type PlanChangePreviewQuery = { account: { planChangePreview:
      | { __typename: 'Conflict', code: string, message: string }
      | { __typename: 'InvalidInput', code: string, message: string }
      | { __typename: 'NotAllowed', code: string, message: string }
      | { __typename: 'PaymentRequired', code: string, message: string }
      | { __typename: 'PlanChangePreview', effectiveAt: string, prorationAt: string | null, due: { minorUnits: unknown, exponent: number, currency: unknown }, discount: { minorUnits: unknown, exponent: number, currency: unknown } }
     | null } | null };

export type PricesQueryVariables = Exact<{ [key: string]: never; }>;


export type PricesQuery = { prices: Array<{ id: string, interval: BillingInterval, plan: { id: string, name: string }, amount: { minorUnits: unknown, exponent: number, currency: unknown } }> | null };

export type RecordUsageMutationVariables = Exact<{
  input: RecordUsageInput;
}>;


export type RecordUsageMutation = { recordUsage:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'RecordUsagePayload', replayed: boolean, position: string, results: Array<{ useId: string | null, status: UseStatus, late: boolean, refusal:
          | { __typename: 'Conflict', code: string, message: string }
          | { __typename: 'InvalidInput', code: string, message: string }
          | { __typename: 'LimitReached', code: string, message: string }
          | { __typename: 'NotAllowed', code: string, message: string }
          | { __typename: 'NotFound', code: string, message: string }
          | { __typename: 'PaymentRequired', code: string, message: string }
          | { __typename: 'PlanRequired', code: string, message: string }
          | { __typename: 'SignInRefused', code: string, message: string }
         | null }> }
   | null };

export type RefreshSessionMutationVariables = Exact<{
  input: RefreshSessionInput;
}>;


export type RefreshSessionMutation = { refreshSession:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'RefreshSessionPayload', position: string, session: { sessionToken: string, refreshToken: string, expiresAt: string } }
    | { __typename: 'SignInRefused', code: string, message: string }
   | null };

export type RegisterUserMutationVariables = Exact<{
  input: RegisterUserInput;
}>;


export type RegisterUserMutation = { registerUser:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string, issues: Array<{ path: Array<string>, code: string, message: string }> }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'RegisterUserPayload', replayed: boolean, position: string, session: { sessionToken: string, refreshToken: string, expiresAt: string } | null, user: { id: string, email: string | null, name: string | null, registeredAt: string }, account: { id: string, plan: { id: string } } }
   | null };

export type ReleaseReservationMutationVariables = Exact<{
  input: ReleaseReservationInput;
}>;


export type ReleaseReservationMutation = { releaseReservation:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'EndReservationPayload', replayed: boolean, position: string, reservation: { id: string, status: ReservationStatus, expiresAt: string, held: Array<{ meter: string, quantity: string }>, settled: Array<{ meter: string, quantity: string }> } }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type RemoveMemberMutationVariables = Exact<{
  input: RemoveMemberInput;
}>;


export type RemoveMemberMutation = { removeMember:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'RemoveMemberPayload', userId: string, position: string }
   | null };

export type RenameAccountMutationVariables = Exact<{
  input: RenameAccountInput;
}>;


export type RenameAccountMutation = { renameAccount:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'RenameAccountPayload', replayed: boolean, position: string, account: { id: string, name: string | null } }
   | null };

export type ReplayWebhookDeliveriesMutationVariables = Exact<{
  input: ReplayWebhookDeliveriesInput;
}>;


export type ReplayWebhookDeliveriesMutation = { replayWebhookDeliveries:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'ReplayWebhookDeliveriesPayload', count: number, more: boolean }
   | null };

export type RequestEmailChangeMutationVariables = Exact<{
  input: RequestEmailChangeInput;
}>;


export type RequestEmailChangeMutation = { requestEmailChange:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'RequestEmailChangePayload', position: string }
    | { __typename: 'SignInRefused', code: string, message: string }
   | null };

export type RequestPasswordResetMutationVariables = Exact<{
  input: RequestPasswordResetInput;
}>;


export type RequestPasswordResetMutation = { requestPasswordReset:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'RequestPasswordResetPayload', position: string }
   | null };

export type ReserveUsageMutationVariables = Exact<{
  input: ReserveUsageInput;
}>;


export type ReserveUsageMutation = { reserveUsage:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'ReserveUsagePayload', replayed: boolean, position: string, reservation: { id: string, status: ReservationStatus, expiresAt: string, held: Array<{ meter: string, quantity: string }>, settled: Array<{ meter: string, quantity: string }> }, limits: Array<{ name: string, used: string, remaining: string }> }
   | null };

export type ResetPasswordMutationVariables = Exact<{
  input: ResetPasswordInput;
}>;


export type ResetPasswordMutation = { resetPassword:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'ResetPasswordPayload', position: string }
   | null };

export type ResumeSubscriptionMutationVariables = Exact<{
  input: ResumeSubscriptionInput;
}>;


export type ResumeSubscriptionMutation = { resumeSubscription:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'PaymentRequired', code: string, message: string }
    | { __typename: 'SubscriptionPayload', position: string, subscription: { status: SubscriptionStatus, cancelsAt: string | null, plan: { id: string }, pendingChange: { effectiveAt: string | null, status: ChangeStatus, plan: { id: string } } | null } | null }
   | null };

export type RevokeKeyMutationVariables = Exact<{
  input: RevokeKeyInput;
}>;


export type RevokeKeyMutation = { revokeKey:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'RevokeKeyPayload', position: string, key: { id: string, revokedAt: string | null } }
   | null };

export type RevokeOperatorMutationVariables = Exact<{
  input: RevokeOperatorInput;
}>;


export type RevokeOperatorMutation = { revokeOperator:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'RevokeOperatorPayload', userId: string, position: string }
   | null };

export type RotateKeyMutationVariables = Exact<{
  input: RotateKeyInput;
}>;


export type RotateKeyMutation = { rotateKey:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string, issues: Array<{ path: Array<string>, code: string, message: string }> }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'RotateKeyPayload', secret: string | null, replayed: boolean, position: string, key: { id: string, name: string, environment: Environment, scopes: Array<KeyScope>, prefix: string, last4: string, issuedAt: string, expiresAt: string | null, rotatedAt: string | null, graceEndsAt: string | null, limits: Array<{ meter: string, window: LimitWindow, max: string }>, metadata: Array<{ name: string, value: string }> } }
   | null };

export type RotateWebhookSecretMutationVariables = Exact<{
  input: RotateWebhookSecretInput;
}>;


export type RotateWebhookSecretMutation = { rotateWebhookSecret:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'RotateWebhookSecretPayload', secret: string | null, replayed: boolean, position: string }
   | null };

export type RuleSetTrialQueryVariables = Exact<{
  input: RuleSetTrialInput;
}>;


export type RuleSetTrialQuery = { ruleSetTrial:
    | { __typename: 'InvalidInput', code: string, message: string, issues: Array<{ path: Array<string>, message: string }> }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'RuleSetTrial', languages: Array<string>, entryCount: number, events: Array<{ text: string, hits: Array<{ category: string, phrase: boolean }> }>, sequences: Array<{ name: string, count: number }> }
   | null };

export type RuleSetQueryVariables = Exact<{
  id: string | number;
  version?: number | null | undefined;
}>;


export type RuleSetQuery = { node:
    | { id: string, name: string | null, version: number, rules: { defaultLanguage: string, window: number, categories: Array<{ name: string, description: string, patterns: Array<{ language: string, tokens: Array<string>, phrases: Array<string> }> }>, sequences: Array<{ first: string, second: string }>, languages: Array<{ language: string, common: Array<string> }> } | null }
    | Record<PropertyKey, never>
   | null };

export type RuleSetsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type RuleSetsQuery = { account: { ruleSets: { nodes: Array<{ id: string, name: string | null, version: number, updatedAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type SearchPatternsQueryVariables = Exact<{
  query: string;
  first?: number;
  after?: string | null | undefined;
  filter?: PatternFilter | null | undefined;
}>;


export type SearchPatternsQuery = { searchPatterns: { degraded: boolean, edges: Array<{ score: number, similarity: number | null, ranks: { text: number | null, name: number | null, meaning: number | null }, node: { id: string, slug: string, name: string, tier: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null };

export type SetCreditTopUpMutationVariables = Exact<{
  input: SetCreditTopUpInput;
}>;


export type SetCreditTopUpMutation = { setCreditTopUp:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'SetCreditTopUpPayload', replayed: boolean, position: string, credits: { available: string, topUp: { packId: string, below: string, maxPerMonth: number, stopped: boolean } | null } }
   | null };

export type SetOverageMutationVariables = Exact<{
  input: SetOverageInput;
}>;


export type SetOverageMutation = { setOverage:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'SetOveragePayload', replayed: boolean, position: string, overage: { allowed: boolean, spendCap: { whenReached: CapRule, amount: { minorUnits: unknown, exponent: number, currency: unknown } } | null, period: { from: string, to: string } | null, spent: { minorUnits: unknown, exponent: number, currency: unknown } | null } }
   | null };

export type SettleReservationMutationVariables = Exact<{
  input: SettleReservationInput;
}>;


export type SettleReservationMutation = { settleReservation:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'EndReservationPayload', replayed: boolean, position: string, reservation: { id: string, status: ReservationStatus, expiresAt: string, held: Array<{ meter: string, quantity: string }>, settled: Array<{ meter: string, quantity: string }> } }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
   | null };

export type SignInMutationVariables = Exact<{
  input: SignInInput;
}>;


export type SignInMutation = { signIn:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'SignInPayload', replayed: boolean, position: string, session: { sessionToken: string, refreshToken: string, expiresAt: string } | null, user: { id: string, email: string | null, name: string | null }, account: { id: string } }
    | { __typename: 'SignInRefused', code: string, message: string, retryAfterSeconds: number | null }
   | null };

export type SignOutEverywhereMutationVariables = Exact<{
  input: SignOutEverywhereInput;
}>;


export type SignOutEverywhereMutation = { signOutEverywhere:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'SignOutEverywherePayload', position: string }
   | null };

export type SignOutMutationVariables = Exact<{
  input: SignOutInput;
}>;


export type SignOutMutation = { signOut:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'SignOutPayload', position: string }
   | null };

export type StartCheckoutMutationVariables = Exact<{
  input: StartCheckoutInput;
}>;


export type StartCheckoutMutation = { startCheckout:
    | { __typename: 'Conflict', code: string, message: string }
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'StartCheckoutPayload', url: string | null, expiresAt: string, position: string }
   | null };

export type SubscriptionQueryVariables = Exact<{ [key: string]: never; }>;


export type SubscriptionQuery = { account: { plan: { id: string }, subscription: { id: string, status: SubscriptionStatus, trialEndsAt: string | null, cancelsAt: string | null, graceEndsAt: string | null, pausedAt: string | null, plan: { id: string, name: string }, price: { id: string, interval: BillingInterval, amount: { minorUnits: unknown, exponent: number, currency: unknown } }, period: { from: string, to: string }, discounts: Array<{ coupon: string | null, name: string, percentOff: number | null, endsAt: string | null, amountOff: { minorUnits: unknown, exponent: number, currency: unknown } | null }>, pendingChange: { priceId: string, effectiveAt: string | null, status: ChangeStatus, plan: { id: string } } | null } | null } | null };

export type TestWebhookEndpointMutationVariables = Exact<{
  input: WebhookEndpointInput;
}>;


export type TestWebhookEndpointMutation = { testWebhookEndpoint:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'TestWebhookEndpointPayload', delivery: { id: string, eventType: string, status: WebhookDeliveryStatus } }
   | null };

export type UpcomingInvoiceQueryVariables = Exact<{ [key: string]: never; }>;


export type UpcomingInvoiceQuery = { account: { upcomingInvoice: { period: { from: string, to: string }, discounts: Array<{ coupon: string | null, name: string, amount: { minorUnits: unknown, exponent: number, currency: unknown } }>, total: { minorUnits: unknown, exponent: number, currency: unknown }, due: { minorUnits: unknown, exponent: number, currency: unknown } } | null } | null };

export type UpdateProfileMutationVariables = Exact<{
  input: UpdateProfileInput;
}>;


export type UpdateProfileMutation = { updateProfile:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'UpdateProfilePayload', position: string, user: { id: string, name: string | null } }
   | null };

export type UpdateRuleSetMutationVariables = Exact<{
  input: UpdateRuleSetInput;
}>;


export type UpdateRuleSetMutation = { updateRuleSet:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'UpdateRuleSetPayload', replayed: boolean, ruleSet: { id: string, name: string | null, version: number } }
   | null };

export type UpdateWebhookEndpointMutationVariables = Exact<{
  input: UpdateWebhookEndpointInput;
}>;


export type UpdateWebhookEndpointMutation = { updateWebhookEndpoint:
    | { __typename: 'InvalidInput', code: string, message: string, issues: Array<{ path: Array<string>, code: string, message: string }> }
    | { __typename: 'LimitReached', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'UpdateWebhookEndpointPayload', position: string, endpoint: { id: string, url: string | null, eventTypes: Array<string>, status: WebhookStatus } }
   | null };

export type UsageBreakdownQueryVariables = Exact<{
  accountId?: string | number | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
  filter?: UsageFilter | null | undefined;
  groupBy: Array<UsageDimension> | UsageDimension;
  first?: number;
}>;


export type UsageBreakdownQuery = { account: { id: string, usage: { from: string, to: string, stale: boolean, breakdown: { omittedGroups: number, groups: Array<{ group: Array<string>, calls: string, refused: string, errors: string, meanDurationMs: number | null, totals: Array<{ meter: string, quantity: string }> }>, omitted: { share: number, calls: string, totals: Array<{ meter: string, quantity: string }> } | null } | null } | null } | null };

export type UsageChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type UsageChangedSubscription = { usageChanged: { position: string, at: string, totals: Array<{ meter: string, quantity: string }>, limits: Array<{ name: string, used: string, remaining: string, resetAt: string | null }> } | null };

export type UsageThresholdsQueryVariables = Exact<{
  accountId?: string | number | null | undefined;
  first?: number;
  after?: string | null | undefined;
}>;


export type UsageThresholdsQuery = { account: { id: string, usageThresholds: { nodes: Array<{ limit: string, meter: string, window: LimitWindow, source: LimitSource, keyId: string | null, percent: number, max: string, used: string, reachedAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type UsageTimelineQueryVariables = Exact<{
  accountId?: string | number | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
  interval?: UsageInterval;
  timeZone?: string;
  groupBy?: Array<UsageDimension> | UsageDimension;
  filter?: UsageFilter | null | undefined;
  first?: number;
}>;


export type UsageTimelineQuery = { account: { id: string, usageTimeline: { from: string, to: string, interval: UsageInterval, timeZone: string, omittedGroups: number, stale: boolean, omitted: { share: number, calls: string, totals: Array<{ meter: string, quantity: string }> } | null, points: Array<{ from: string, to: string, group: Array<string>, calls: string, refused: string, errors: string, meanDurationMs: number | null, totals: Array<{ meter: string, quantity: string }> }> } | null } | null };

export type UsageQueryVariables = Exact<{
  accountId?: string | number | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
  filter?: UsageFilter | null | undefined;
  minPosition?: string | null | undefined;
}>;


export type UsageQuery = { account: { id: string, usage: { from: string, to: string, stale: boolean, calls: string, refused: string, errors: string, meanDurationMs: number | null, totals: Array<{ meter: string, quantity: string }> } | null } | null };

export type UsesQueryVariables = Exact<{
  accountId?: string | number | null | undefined;
  filter?: UsageFilter | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
  first?: number;
  after?: string | null | undefined;
}>;


export type UsesQuery = { account: { id: string, uses: { nodes: Array<{ useId: string, at: string, keyId: string | null, endpoint: string, method: string, operation: string | null, source: string | null, status: CallStatus, durationMs: number, refusalCode: string | null, calls: string, late: boolean, overLimit: boolean, reversal: boolean, reason: string | null, quantities: Array<{ meter: string, quantity: string }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type VerifyEmailMutationVariables = Exact<{
  input: VerifyEmailInput;
}>;


export type VerifyEmailMutation = { verifyEmail:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'VerifyEmailPayload', position: string }
   | null };

export type VerifyKeyMutationVariables = Exact<{
  input: VerifyKeyInput;
}>;


export type VerifyKeyMutation = { verifyKey:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'VerifyKeyPayload', valid: boolean, code: string, retryAfterSeconds: number | null, keyId: string | null, accountId: string | null, environment: Environment | null, scopes: Array<KeyScope>, expiresAt: string | null, useId: string | null, plan: { id: string, features: Array<{ name: string, value: string | null }> } | null, limits: Array<{ name: string, meter: string, max: string, used: string, remaining: string, resetAt: string | null }>, reservation: { id: string, status: ReservationStatus, expiresAt: string, held: Array<{ meter: string, quantity: string }> } | null }
   | null };

export type WebhookEndpointsQueryVariables = Exact<{
  deliveries?: number;
  filter?: WebhookDeliveryFilterInput | null | undefined;
}>;


export type WebhookEndpointsQuery = { webhookEventTypes: Array<{ name: string, description: string }> | null, me: { account: { webhookEndpoints: { nodes: Array<{ id: string, url: string | null, eventTypes: Array<string>, status: WebhookStatus, disabledReason: WebhookDisabledReason | null, deliveries: { nodes: Array<{ id: string, eventType: string, status: WebhookDeliveryStatus, givenUpReason: string | null, createdAt: string, nextAttemptAt: string | null, attempts: Array<{ at: string, durationMs: number, status: number | null, failure: string | null }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }> } | null } } | null };

export type WithdrawInvitationMutationVariables = Exact<{
  input: WithdrawInvitationInput;
}>;


export type WithdrawInvitationMutation = { withdrawInvitation:
    | { __typename: 'InvalidInput', code: string, message: string }
    | { __typename: 'NotAllowed', code: string, message: string }
    | { __typename: 'NotFound', code: string, message: string }
    | { __typename: 'WithdrawInvitationPayload', invitationId: string, position: string }
   | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const AcceptInvitationDocument = new TypedDocumentString(`
    mutation AcceptInvitation($input: AcceptInvitationInput!) {
  acceptInvitation(input: $input) {
    __typename
    ... on AcceptInvitationPayload {
      membership {
        accountId
        role
        joinedAt
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<AcceptInvitationMutation, AcceptInvitationMutationVariables>;
export const AccountAuditLogDocument = new TypedDocumentString(`
    query AccountAuditLog($first: Int = 20, $after: String) {
  me {
    account {
      auditLog(first: $first, after: $after) {
        nodes {
          id
          at
          action
          actor {
            type
            actorId
            asOperator
          }
          subject
          reason
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AccountAuditLogQuery, AccountAuditLogQueryVariables>;
export const AgreedPricesDocument = new TypedDocumentString(`
    query AgreedPrices($first: Int!, $after: String, $filter: AgreedPriceFilter) {
  operator {
    agreedPrices(first: $first, after: $after, filter: $filter) {
      nodes {
        accountId
        price {
          id
          plan {
            id
          }
          interval
          amount {
            minorUnits
            exponent
            currency
          }
        }
        reason
        agreedAt
        withdrawnAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AgreedPricesQuery, AgreedPricesQueryVariables>;
export const AnalysisChangedDocument = new TypedDocumentString(`
    subscription AnalysisChanged($id: ID!) {
  analysisChanged(id: $id) {
    id
    status
    progress
    endedAt
    resultUrl
  }
}
    `) as unknown as TypedDocumentString<AnalysisChangedSubscription, AnalysisChangedSubscriptionVariables>;
export const AnalysisDocument = new TypedDocumentString(`
    query Analysis($id: ID!) {
  analysis(id: $id) {
    id
    status
    requestedAt
    endedAt
    fileBytes
    fileHash
    entryCount
    eventCount
    patterns {
      name
      count
    }
    ruleSetId
    rulesVersion
    failure {
      reason
      refunded
    }
    uploadUrl
    resultUrl
  }
}
    `) as unknown as TypedDocumentString<AnalysisQuery, AnalysisQueryVariables>;
export const AuditLogDocument = new TypedDocumentString(`
    query AuditLog($first: Int = 20, $after: String, $filter: AuditFilter) {
  operator {
    auditLog(first: $first, after: $after, filter: $filter) {
      nodes {
        id
        at
        action
        actor {
          type
          actorId
          asOperator
        }
        accountId
        subject
        reason
        address
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AuditLogQuery, AuditLogQueryVariables>;
export const BuyCreditsDocument = new TypedDocumentString(`
    mutation BuyCredits($input: BuyCreditsInput!) {
  buyCredits(input: $input) {
    __typename
    ... on BuyCreditsPayload {
      url
      expiresAt
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<BuyCreditsMutation, BuyCreditsMutationVariables>;
export const CancelSubscriptionDocument = new TypedDocumentString(`
    mutation CancelSubscription($input: CancelSubscriptionInput!) {
  cancelSubscription(input: $input) {
    __typename
    ... on SubscriptionPayload {
      subscription {
        plan {
          id
        }
        status
        cancelsAt
        pendingChange {
          plan {
            id
          }
          effectiveAt
          status
        }
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CancelSubscriptionMutation, CancelSubscriptionMutationVariables>;
export const ChangeMemberRoleDocument = new TypedDocumentString(`
    mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {
  changeMemberRole(input: $input) {
    __typename
    ... on ChangeMemberRolePayload {
      member {
        userId
        role
        firstOwner
        joinedAt
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ChangeMemberRoleMutation, ChangeMemberRoleMutationVariables>;
export const ChangePasswordDocument = new TypedDocumentString(`
    mutation ChangePassword($input: ChangePasswordInput!) {
  changePassword(input: $input) {
    __typename
    ... on ChangePasswordPayload {
      session {
        sessionToken
        refreshToken
        expiresAt
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ChangePasswordMutation, ChangePasswordMutationVariables>;
export const ChangePlanDocument = new TypedDocumentString(`
    mutation ChangePlan($input: ChangePlanInput!) {
  changePlan(input: $input) {
    __typename
    ... on SubscriptionPayload {
      subscription {
        plan {
          id
        }
        status
        cancelsAt
        pendingChange {
          plan {
            id
          }
          effectiveAt
          status
        }
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ChangePlanMutation, ChangePlanMutationVariables>;
export const ConfirmEmailChangeDocument = new TypedDocumentString(`
    mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) {
  confirmEmailChange(input: $input) {
    __typename
    ... on ConfirmEmailChangePayload {
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ConfirmEmailChangeMutation, ConfirmEmailChangeMutationVariables>;
export const CorrectUsageDocument = new TypedDocumentString(`
    mutation CorrectUsage($input: CorrectUsageInput!) {
  correctUsage(input: $input) {
    __typename
    ... on CorrectUsagePayload {
      useId
      accountId
      reversed {
        meter
        quantity
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CorrectUsageMutation, CorrectUsageMutationVariables>;
export const CreateAnalysesDocument = new TypedDocumentString(`
    mutation CreateAnalyses($input: CreateAnalysesInput!) {
  createAnalyses(input: $input) {
    __typename
    ... on CreateAnalysesPayload {
      results {
        __typename
        ... on CreateAnalysisPayload {
          analysis {
            id
            status
            uploadUrl
          }
        }
        ... on Refusal {
          code
          message
        }
      }
      replayed
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateAnalysesMutation, CreateAnalysesMutationVariables>;
export const CreateAnalysisDocument = new TypedDocumentString(`
    mutation CreateAnalysis($input: CreateAnalysisInput!) {
  createAnalysis(input: $input) {
    __typename
    ... on CreateAnalysisPayload {
      analysis {
        id
        status
        uploadUrl
      }
      replayed
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateAnalysisMutation, CreateAnalysisMutationVariables>;
export const CreateRuleSetDocument = new TypedDocumentString(`
    mutation CreateRuleSet($input: CreateRuleSetInput!) {
  createRuleSet(input: $input) {
    __typename
    ... on CreateRuleSetPayload {
      ruleSet {
        id
        name
        version
      }
      replayed
    }
    ... on InvalidInput {
      issues {
        path
        message
      }
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateRuleSetMutation, CreateRuleSetMutationVariables>;
export const CreateWebhookEndpointDocument = new TypedDocumentString(`
    mutation CreateWebhookEndpoint($input: CreateWebhookEndpointInput!) {
  createWebhookEndpoint(input: $input) {
    __typename
    ... on CreateWebhookEndpointPayload {
      endpoint {
        id
        url
        eventTypes
        status
        allAccounts
      }
      secret
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
    ... on InvalidInput {
      issues {
        path
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CreateWebhookEndpointMutation, CreateWebhookEndpointMutationVariables>;
export const CreditPacksDocument = new TypedDocumentString(`
    query CreditPacks {
  creditPacks {
    id
    name
    credits
    months
    price {
      minorUnits
      exponent
      currency
    }
  }
}
    `) as unknown as TypedDocumentString<CreditPacksQuery, CreditPacksQueryVariables>;
export const CreditsDocument = new TypedDocumentString(`
    query Credits {
  account {
    credits {
      available
      balance
      blocked
      grants {
        id
        source
        amount
        remaining
        expiresAt
        priority
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CreditsQuery, CreditsQueryVariables>;
export const DeleteAccountDocument = new TypedDocumentString(`
    mutation DeleteAccount($input: DeleteAccountInput!) {
  deleteAccount(input: $input) {
    __typename
    ... on DeleteAccountPayload {
      accountId
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteAccountMutation, DeleteAccountMutationVariables>;
export const DeleteAnalysisDocument = new TypedDocumentString(`
    mutation DeleteAnalysis($input: DeleteAnalysisInput!) {
  deleteAnalysis(input: $input) {
    __typename
    ... on DeleteAnalysisPayload {
      analysisId
      replayed
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteAnalysisMutation, DeleteAnalysisMutationVariables>;
export const DeleteRuleSetDocument = new TypedDocumentString(`
    mutation DeleteRuleSet($input: DeleteRuleSetInput!) {
  deleteRuleSet(input: $input) {
    __typename
    ... on DeleteRuleSetPayload {
      ruleSetId
      replayed
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteRuleSetMutation, DeleteRuleSetMutationVariables>;
export const DeleteWebhookEndpointDocument = new TypedDocumentString(`
    mutation DeleteWebhookEndpoint($input: WebhookEndpointInput!) {
  deleteWebhookEndpoint(input: $input) {
    __typename
    ... on DeleteWebhookEndpointPayload {
      endpointId
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteWebhookEndpointMutation, DeleteWebhookEndpointMutationVariables>;
export const DisputesDocument = new TypedDocumentString(`
    query Disputes($first: Int!, $after: String) {
  operator {
    disputes(first: $first, after: $after) {
      nodes {
        id
        accountId
        purchase
        status
        amount {
          minorUnits
          exponent
          currency
        }
        reason
        openedAt
        respondBy
        closedAt
        paymentId
        invoiceId
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DisputesQuery, DisputesQueryVariables>;
export const GrantOperatorDocument = new TypedDocumentString(`
    mutation GrantOperator($input: GrantOperatorInput!) {
  grantOperator(input: $input) {
    __typename
    ... on GrantOperatorPayload {
      userId
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<GrantOperatorMutation, GrantOperatorMutationVariables>;
export const InvitationsDocument = new TypedDocumentString(`
    query Invitations($first: Int, $after: String) {
  me {
    account {
      id
      invitations(first: $first, after: $after) {
        nodes {
          id
          email
          role
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<InvitationsQuery, InvitationsQueryVariables>;
export const InviteMemberDocument = new TypedDocumentString(`
    mutation InviteMember($input: InviteMemberInput!) {
  inviteMember(input: $input) {
    __typename
    ... on InviteMemberPayload {
      invitation {
        id
        email
        role
        invitedAt
        expiresAt
      }
      position
    }
    ... on PlanRequired {
      plan {
        id
      }
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<InviteMemberMutation, InviteMemberMutationVariables>;
export const InvoiceDifferencesDocument = new TypedDocumentString(`
    query InvoiceDifferences($first: Int!, $after: String) {
  operator {
    invoiceDifferences(first: $first, after: $after) {
      nodes {
        accountId
        invoice {
          id
          number
          issuedAt
          total {
            minorUnits
            exponent
            currency
          }
        }
        differences {
          subject
          line
          expected {
            minorUnits
            exponent
            currency
          }
          actual {
            minorUnits
            exponent
            currency
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<InvoiceDifferencesQuery, InvoiceDifferencesQueryVariables>;
export const InvoiceDocument = new TypedDocumentString(`
    query Invoice($id: ID!) {
  invoice(id: $id) {
    id
    number
    paymentReference
    status
    issuedAt
    subtotal {
      minorUnits
      exponent
      currency
    }
    discount {
      minorUnits
      exponent
      currency
    }
    discounts {
      coupon
      name
      amount {
        minorUnits
        exponent
        currency
      }
    }
    tax {
      minorUnits
      exponent
      currency
    }
    total {
      minorUnits
      exponent
      currency
    }
    due {
      minorUnits
      exponent
      currency
    }
  }
}
    `) as unknown as TypedDocumentString<InvoiceQuery, InvoiceQueryVariables>;
export const InvoicesDocument = new TypedDocumentString(`
    query Invoices($first: Int!, $after: String) {
  account {
    invoices(first: $first, after: $after) {
      nodes {
        id
        number
        paymentReference
        status
        issuedAt
        period {
          from
          to
        }
        total {
          minorUnits
          exponent
          currency
        }
        discounts {
          coupon
          name
          amount {
            minorUnits
            exponent
            currency
          }
        }
        lines {
          kind
          description
          quantity
          meter
          total {
            minorUnits
            exponent
            currency
          }
          eventIds
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<InvoicesQuery, InvoicesQueryVariables>;
export const IssueKeyDocument = new TypedDocumentString(`
    mutation IssueKey($input: IssueKeyInput!) {
  issueKey(input: $input) {
    __typename
    ... on IssueKeyPayload {
      secret
      replayed
      position
      key {
        id
        name
        environment
        scopes
        prefix
        last4
        issuedAt
        expiresAt
        rotatedAt
        graceEndsAt
        limits {
          meter
          window
          max
        }
        metadata {
          name
          value
        }
      }
    }
    ... on Refusal {
      code
      message
    }
    ... on InvalidInput {
      issues {
        path
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<IssueKeyMutation, IssueKeyMutationVariables>;
export const KeysDocument = new TypedDocumentString(`
    query Keys($first: Int! = 20, $after: String) {
  me {
    account {
      id
      keys(first: $first, after: $after) {
        nodes {
          id
          name
          environment
          scopes
          prefix
          last4
          issuedAt
          expiresAt
          rotatedAt
          graceEndsAt
          limits {
            meter
            window
            max
          }
          metadata {
            name
            value
          }
          revokedAt
          lastUsedAt
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<KeysQuery, KeysQueryVariables>;
export const LeaveAccountDocument = new TypedDocumentString(`
    mutation LeaveAccount($input: LeaveAccountInput!) {
  leaveAccount(input: $input) {
    __typename
    ... on LeaveAccountPayload {
      accountId
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<LeaveAccountMutation, LeaveAccountMutationVariables>;
export const LimitsDocument = new TypedDocumentString(`
    query Limits($accountId: ID) {
  account(id: $accountId) {
    id
    plan {
      id
    }
    limits {
      name
      meter
      window
      source
      mode
      max
      used
      remaining
      resetAt
    }
  }
}
    `) as unknown as TypedDocumentString<LimitsQuery, LimitsQueryVariables>;
export const MeDocument = new TypedDocumentString(`
    query Me {
  me {
    account {
      id
      name
      plan {
        id
        name
        tiers
        features {
          name
          value
        }
      }
    }
    user {
      id
      email
      emailVerified
      name
    }
  }
}
    `) as unknown as TypedDocumentString<MeQuery, MeQueryVariables>;
export const MembersDocument = new TypedDocumentString(`
    query Members($first: Int, $after: String) {
  me {
    account {
      id
      members(first: $first, after: $after) {
        nodes {
          userId
          role
          firstOwner
          user {
            id
            email
            name
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<MembersQuery, MembersQueryVariables>;
export const MyAccountsDocument = new TypedDocumentString(`
    query MyAccounts($first: Int, $after: String) {
  me {
    role
    accounts(first: $first, after: $after) {
      nodes {
        accountId
        accountName
        role
        owner {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<MyAccountsQuery, MyAccountsQueryVariables>;
export const MyAnalysesDocument = new TypedDocumentString(`
    query MyAnalyses($first: Int = 20, $after: String) {
  myAnalyses(first: $first, after: $after) {
    nodes {
      id
      status
      requestedAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<MyAnalysesQuery, MyAnalysesQueryVariables>;
export const OpenBillingPortalDocument = new TypedDocumentString(`
    mutation OpenBillingPortal($input: OpenBillingPortalInput!) {
  openBillingPortal(input: $input) {
    __typename
    ... on OpenBillingPortalPayload {
      url
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OpenBillingPortalMutation, OpenBillingPortalMutationVariables>;
export const OperatorAccountDocument = new TypedDocumentString(`
    query OperatorAccount($id: ID!, $first: Int = 20, $after: String, $filter: AuditFilter) {
  operator {
    account(id: $id) {
      id
      plan {
        id
      }
      auditLog(first: $first, after: $after, filter: $filter) {
        nodes {
          id
          at
          action
          actor {
            type
            actorId
            asOperator
          }
          accountId
          subject
          reason
          address
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorAccountQuery, OperatorAccountQueryVariables>;
export const OperatorAccountsDocument = new TypedDocumentString(`
    query OperatorAccounts($first: Int = 20, $after: String, $filter: AccountFilter) {
  operator {
    accounts(first: $first, after: $after, filter: $filter) {
      nodes {
        id
        plan {
          id
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorAccountsQuery, OperatorAccountsQueryVariables>;
export const OperatorAgreePriceDocument = new TypedDocumentString(`
    mutation OperatorAgreePrice($input: OperatorAgreePriceInput!) {
  operatorAgreePrice(input: $input) {
    __typename
    ... on OperatorPricePayload {
      accountId
      price {
        id
        plan {
          id
        }
        interval
        amount {
          minorUnits
          exponent
          currency
        }
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorAgreePriceMutation, OperatorAgreePriceMutationVariables>;
export const OperatorGrantCreditsDocument = new TypedDocumentString(`
    mutation OperatorGrantCredits($input: OperatorGrantCreditsInput!) {
  operatorGrantCredits(input: $input) {
    __typename
    ... on OperatorCreditsPayload {
      grant {
        id
        amount
        remaining
        expiresAt
        refunded
      }
      credits {
        available
        balance
        blocked
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorGrantCreditsMutation, OperatorGrantCreditsMutationVariables>;
export const OperatorGrantPlanDocument = new TypedDocumentString(`
    mutation OperatorGrantPlan($input: OperatorGrantPlanInput!) {
  operatorGrantPlan(input: $input) {
    __typename
    ... on OperatorGrantPlanPayload {
      accountId
      plan {
        id
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorGrantPlanMutation, OperatorGrantPlanMutationVariables>;
export const OperatorMailsDocument = new TypedDocumentString(`
    query OperatorMails($first: Int! = 20, $after: String, $status: MailStatus) {
  operator {
    mails(first: $first, after: $after, status: $status) {
      nodes {
        id
        kind
        recipientId
        status
        givenUpReason
        createdAt
        nextAttemptAt
        attempts {
          at
          durationMs
          status
          failure
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorMailsQuery, OperatorMailsQueryVariables>;
export const OperatorMetricsDocument = new TypedDocumentString(`
    query OperatorMetrics($asOf: DateTime) {
  operator {
    metrics(asOf: $asOf) {
      asOf
      accounts
      accountsByPlan {
        planId
        accounts
      }
      newAccounts
      deletedAccounts
      calls
      limitHits
      denials {
        limit
        code
        calls
      }
      costDistribution {
        p50
        p95
        p99
        classes {
          upTo
          calls
        }
      }
      errors
      endpoints {
        endpoint
        calls
        errors
        errorRate
        meanDurationMs
      }
      topAccounts {
        accountId
        calls
        refused
        totals {
          meter
          quantity
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorMetricsQuery, OperatorMetricsQueryVariables>;
export const OperatorRefundCreditsDocument = new TypedDocumentString(`
    mutation OperatorRefundCredits($input: OperatorCreditsInput!) {
  operatorRefundCredits(input: $input) {
    __typename
    ... on OperatorCreditsPayload {
      grant {
        id
        amount
        remaining
        expiresAt
        refunded
      }
      credits {
        available
        balance
        blocked
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorRefundCreditsMutation, OperatorRefundCreditsMutationVariables>;
export const OperatorReplayMailDocument = new TypedDocumentString(`
    mutation OperatorReplayMail($input: OperatorReplayMailInput!) {
  operatorReplayMail(input: $input) {
    __typename
    ... on OperatorReplayMailPayload {
      mailId
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorReplayMailMutation, OperatorReplayMailMutationVariables>;
export const OperatorResetQuotaDocument = new TypedDocumentString(`
    mutation OperatorResetQuota($input: OperatorResetQuotaInput!) {
  operatorResetQuota(input: $input) {
    __typename
    ... on OperatorResetQuotaPayload {
      accountId
      limits {
        name
        used
        remaining
        resetAt
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorResetQuotaMutation, OperatorResetQuotaMutationVariables>;
export const OperatorRevenueDocument = new TypedDocumentString(`
    query OperatorRevenue($from: DateTime, $to: DateTime) {
  operator {
    revenue(from: $from, to: $to) {
      currency
      mrr {
        minorUnits
        exponent
        currency
      }
      movements {
        new {
          minorUnits
        }
        expansion {
          minorUnits
        }
        contraction {
          minorUnits
        }
        churn {
          minorUnits
        }
        reactivation {
          minorUnits
        }
      }
      payingAccounts
      arpu {
        minorUnits
      }
      churnRate
      trialsStarted
      trialsConverted
      invoiced {
        minorUnits
      }
      oneTime {
        minorUnits
      }
      oneTimePayments
      paidPerPayment {
        minorUnits
      }
      refunds {
        minorUnits
      }
      disputed {
        minorUnits
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorRevenueQuery, OperatorRevenueQueryVariables>;
export const OperatorRevokeKeyDocument = new TypedDocumentString(`
    mutation OperatorRevokeKey($input: OperatorRevokeKeyInput!) {
  operatorRevokeKey(input: $input) {
    __typename
    ... on OperatorRevokeKeyPayload {
      key {
        id
        revokedAt
      }
      accountId
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorRevokeKeyMutation, OperatorRevokeKeyMutationVariables>;
export const OperatorVoidCreditsDocument = new TypedDocumentString(`
    mutation OperatorVoidCredits($input: OperatorCreditsInput!) {
  operatorVoidCredits(input: $input) {
    __typename
    ... on OperatorCreditsPayload {
      grant {
        id
        amount
        remaining
        expiresAt
        refunded
      }
      credits {
        available
        balance
        blocked
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorVoidCreditsMutation, OperatorVoidCreditsMutationVariables>;
export const OperatorWithdrawPriceDocument = new TypedDocumentString(`
    mutation OperatorWithdrawPrice($input: OperatorWithdrawPriceInput!) {
  operatorWithdrawPrice(input: $input) {
    __typename
    ... on OperatorPricePayload {
      accountId
      price {
        id
        plan {
          id
        }
        interval
        amount {
          minorUnits
          exponent
          currency
        }
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorWithdrawPriceMutation, OperatorWithdrawPriceMutationVariables>;
export const OverageCorrectionsDocument = new TypedDocumentString(`
    query OverageCorrections($first: Int!, $after: String) {
  operator {
    overageCorrections(first: $first, after: $after) {
      nodes {
        accountId
        correctedAt
        total {
          minorUnits
          exponent
          currency
        }
        periods {
          from
          to
        }
        eventIds
        invoiceId
        creditNotes
        owed {
          minorUnits
          exponent
          currency
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OverageCorrectionsQuery, OverageCorrectionsQueryVariables>;
export const OverageDocument = new TypedDocumentString(`
    query Overage {
  account {
    overage {
      allowed
      spendCap {
        amount {
          minorUnits
          exponent
          currency
        }
        whenReached
      }
      period {
        from
        to
      }
      spent {
        minorUnits
        exponent
        currency
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OverageQuery, OverageQueryVariables>;
export const PatternDocument = new TypedDocumentString(`
    query Pattern($by: PatternBy!) {
  pattern(by: $by) {
    __typename
    ... on Pattern {
      id
      slug
      name
      category
      tier
      tags
      description
      useCount
      example {
        language
        text
      }
    }
    ... on Refusal {
      code
      message
    }
    ... on PlanRequired {
      plan {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PatternQuery, PatternQueryVariables>;
export const PatternsDocument = new TypedDocumentString(`
    query Patterns($first: Int! = 20, $after: String, $filter: PatternFilter, $orderBy: PatternOrder! = MOST_USED) {
  patterns(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    totalCount
    nodes {
      id
      slug
      name
      category
      tier
      useCount
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<PatternsQuery, PatternsQueryVariables>;
export const PauseSubscriptionDocument = new TypedDocumentString(`
    mutation PauseSubscription($input: PauseSubscriptionInput!) {
  pauseSubscription(input: $input) {
    __typename
    ... on SubscriptionPayload {
      subscription {
        plan {
          id
        }
        status
        cancelsAt
        pendingChange {
          plan {
            id
          }
          effectiveAt
          status
        }
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<PauseSubscriptionMutation, PauseSubscriptionMutationVariables>;
export const PaymentEventsDocument = new TypedDocumentString(`
    query PaymentEvents($first: Int = 20, $after: String, $filter: PaymentEventFilter) {
  operator {
    paymentEvents(first: $first, after: $after, filter: $filter) {
      nodes {
        id
        type
        about
        live
        backfilled
        createdAt
        receivedAt
        handledAt
        effect
        accountId
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PaymentEventsQuery, PaymentEventsQueryVariables>;
export const PlanChangePreviewDocument = new TypedDocumentString(`
    query PlanChangePreview($priceId: ID!, $coupon: String) {
  account {
    planChangePreview(priceId: $priceId, coupon: $coupon) {
      __typename
      ... on PlanChangePreview {
        effectiveAt
        due {
          minorUnits
          exponent
          currency
        }
        discount {
          minorUnits
          exponent
          currency
        }
        prorationAt
      }
      ... on Refusal {
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PlanChangePreviewQuery, PlanChangePreviewQueryVariables>;
export const PricesDocument = new TypedDocumentString(`
    query Prices {
  prices {
    id
    plan {
      id
      name
    }
    interval
    amount {
      minorUnits
      exponent
      currency
    }
  }
}
    `) as unknown as TypedDocumentString<PricesQuery, PricesQueryVariables>;
export const RecordUsageDocument = new TypedDocumentString(`
    mutation RecordUsage($input: RecordUsageInput!) {
  recordUsage(input: $input) {
    __typename
    ... on RecordUsagePayload {
      results {
        useId
        status
        late
        refusal {
          __typename
          code
          message
        }
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RecordUsageMutation, RecordUsageMutationVariables>;
export const RefreshSessionDocument = new TypedDocumentString(`
    mutation RefreshSession($input: RefreshSessionInput!) {
  refreshSession(input: $input) {
    __typename
    ... on RefreshSessionPayload {
      session {
        sessionToken
        refreshToken
        expiresAt
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RefreshSessionMutation, RefreshSessionMutationVariables>;
export const RegisterUserDocument = new TypedDocumentString(`
    mutation RegisterUser($input: RegisterUserInput!) {
  registerUser(input: $input) {
    __typename
    ... on RegisterUserPayload {
      session {
        sessionToken
        refreshToken
        expiresAt
      }
      replayed
      position
      user {
        id
        email
        name
        registeredAt
      }
      account {
        id
        plan {
          id
        }
      }
    }
    ... on Refusal {
      code
      message
    }
    ... on InvalidInput {
      issues {
        path
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RegisterUserMutation, RegisterUserMutationVariables>;
export const ReleaseReservationDocument = new TypedDocumentString(`
    mutation ReleaseReservation($input: ReleaseReservationInput!) {
  releaseReservation(input: $input) {
    __typename
    ... on EndReservationPayload {
      reservation {
        id
        status
        held {
          meter
          quantity
        }
        settled {
          meter
          quantity
        }
        expiresAt
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ReleaseReservationMutation, ReleaseReservationMutationVariables>;
export const RemoveMemberDocument = new TypedDocumentString(`
    mutation RemoveMember($input: RemoveMemberInput!) {
  removeMember(input: $input) {
    __typename
    ... on RemoveMemberPayload {
      userId
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RemoveMemberMutation, RemoveMemberMutationVariables>;
export const RenameAccountDocument = new TypedDocumentString(`
    mutation RenameAccount($input: RenameAccountInput!) {
  renameAccount(input: $input) {
    __typename
    ... on RenameAccountPayload {
      replayed
      position
      account {
        id
        name
      }
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RenameAccountMutation, RenameAccountMutationVariables>;
export const ReplayWebhookDeliveriesDocument = new TypedDocumentString(`
    mutation ReplayWebhookDeliveries($input: ReplayWebhookDeliveriesInput!) {
  replayWebhookDeliveries(input: $input) {
    __typename
    ... on ReplayWebhookDeliveriesPayload {
      count
      more
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ReplayWebhookDeliveriesMutation, ReplayWebhookDeliveriesMutationVariables>;
export const RequestEmailChangeDocument = new TypedDocumentString(`
    mutation RequestEmailChange($input: RequestEmailChangeInput!) {
  requestEmailChange(input: $input) {
    __typename
    ... on RequestEmailChangePayload {
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RequestEmailChangeMutation, RequestEmailChangeMutationVariables>;
export const RequestPasswordResetDocument = new TypedDocumentString(`
    mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
  requestPasswordReset(input: $input) {
    __typename
    ... on RequestPasswordResetPayload {
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RequestPasswordResetMutation, RequestPasswordResetMutationVariables>;
export const ReserveUsageDocument = new TypedDocumentString(`
    mutation ReserveUsage($input: ReserveUsageInput!) {
  reserveUsage(input: $input) {
    __typename
    ... on ReserveUsagePayload {
      reservation {
        id
        status
        held {
          meter
          quantity
        }
        settled {
          meter
          quantity
        }
        expiresAt
      }
      limits {
        name
        used
        remaining
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ReserveUsageMutation, ReserveUsageMutationVariables>;
export const ResetPasswordDocument = new TypedDocumentString(`
    mutation ResetPassword($input: ResetPasswordInput!) {
  resetPassword(input: $input) {
    __typename
    ... on ResetPasswordPayload {
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ResetPasswordMutation, ResetPasswordMutationVariables>;
export const ResumeSubscriptionDocument = new TypedDocumentString(`
    mutation ResumeSubscription($input: ResumeSubscriptionInput!) {
  resumeSubscription(input: $input) {
    __typename
    ... on SubscriptionPayload {
      subscription {
        plan {
          id
        }
        status
        cancelsAt
        pendingChange {
          plan {
            id
          }
          effectiveAt
          status
        }
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ResumeSubscriptionMutation, ResumeSubscriptionMutationVariables>;
export const RevokeKeyDocument = new TypedDocumentString(`
    mutation RevokeKey($input: RevokeKeyInput!) {
  revokeKey(input: $input) {
    __typename
    ... on RevokeKeyPayload {
      key {
        id
        revokedAt
      }
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeKeyMutation, RevokeKeyMutationVariables>;
export const RevokeOperatorDocument = new TypedDocumentString(`
    mutation RevokeOperator($input: RevokeOperatorInput!) {
  revokeOperator(input: $input) {
    __typename
    ... on RevokeOperatorPayload {
      userId
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeOperatorMutation, RevokeOperatorMutationVariables>;
export const RotateKeyDocument = new TypedDocumentString(`
    mutation RotateKey($input: RotateKeyInput!) {
  rotateKey(input: $input) {
    __typename
    ... on RotateKeyPayload {
      secret
      replayed
      position
      key {
        id
        name
        environment
        scopes
        prefix
        last4
        issuedAt
        expiresAt
        rotatedAt
        graceEndsAt
        limits {
          meter
          window
          max
        }
        metadata {
          name
          value
        }
      }
    }
    ... on Refusal {
      code
      message
    }
    ... on InvalidInput {
      issues {
        path
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RotateKeyMutation, RotateKeyMutationVariables>;
export const RotateWebhookSecretDocument = new TypedDocumentString(`
    mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {
  rotateWebhookSecret(input: $input) {
    __typename
    ... on RotateWebhookSecretPayload {
      secret
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RotateWebhookSecretMutation, RotateWebhookSecretMutationVariables>;
export const RuleSetTrialDocument = new TypedDocumentString(`
    query RuleSetTrial($input: RuleSetTrialInput!) {
  ruleSetTrial(input: $input) {
    __typename
    ... on RuleSetTrial {
      languages
      entryCount
      events {
        text
        hits {
          category
          phrase
        }
      }
      sequences {
        name
        count
      }
    }
    ... on InvalidInput {
      issues {
        path
        message
      }
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RuleSetTrialQuery, RuleSetTrialQueryVariables>;
export const RuleSetDocument = new TypedDocumentString(`
    query RuleSet($id: ID!, $version: Int) {
  node(id: $id) {
    ... on RuleSet {
      id
      name
      version
      rules(version: $version) {
        defaultLanguage
        window
        categories {
          name
          description
          patterns {
            language
            tokens
            phrases
          }
        }
        sequences {
          first
          second
        }
        languages {
          language
          common
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RuleSetQuery, RuleSetQueryVariables>;
export const RuleSetsDocument = new TypedDocumentString(`
    query RuleSets($first: Int = 20, $after: String) {
  account {
    ruleSets(first: $first, after: $after) {
      nodes {
        id
        name
        version
        updatedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RuleSetsQuery, RuleSetsQueryVariables>;
export const SearchPatternsDocument = new TypedDocumentString(`
    query SearchPatterns($query: String!, $first: Int! = 10, $after: String, $filter: PatternFilter) {
  searchPatterns(query: $query, first: $first, after: $after, filter: $filter) {
    degraded
    edges {
      score
      similarity
      ranks {
        text
        name
        meaning
      }
      node {
        id
        slug
        name
        tier
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<SearchPatternsQuery, SearchPatternsQueryVariables>;
export const SetCreditTopUpDocument = new TypedDocumentString(`
    mutation SetCreditTopUp($input: SetCreditTopUpInput!) {
  setCreditTopUp(input: $input) {
    __typename
    ... on SetCreditTopUpPayload {
      credits {
        available
        topUp {
          packId
          below
          maxPerMonth
          stopped
        }
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SetCreditTopUpMutation, SetCreditTopUpMutationVariables>;
export const SetOverageDocument = new TypedDocumentString(`
    mutation SetOverage($input: SetOverageInput!) {
  setOverage(input: $input) {
    __typename
    ... on SetOveragePayload {
      overage {
        allowed
        spendCap {
          amount {
            minorUnits
            exponent
            currency
          }
          whenReached
        }
        period {
          from
          to
        }
        spent {
          minorUnits
          exponent
          currency
        }
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SetOverageMutation, SetOverageMutationVariables>;
export const SettleReservationDocument = new TypedDocumentString(`
    mutation SettleReservation($input: SettleReservationInput!) {
  settleReservation(input: $input) {
    __typename
    ... on EndReservationPayload {
      reservation {
        id
        status
        held {
          meter
          quantity
        }
        settled {
          meter
          quantity
        }
        expiresAt
      }
      replayed
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SettleReservationMutation, SettleReservationMutationVariables>;
export const SignInDocument = new TypedDocumentString(`
    mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    __typename
    ... on SignInPayload {
      session {
        sessionToken
        refreshToken
        expiresAt
      }
      replayed
      position
      user {
        id
        email
        name
      }
      account {
        id
      }
    }
    ... on Refusal {
      code
      message
    }
    ... on SignInRefused {
      retryAfterSeconds
    }
  }
}
    `) as unknown as TypedDocumentString<SignInMutation, SignInMutationVariables>;
export const SignOutEverywhereDocument = new TypedDocumentString(`
    mutation SignOutEverywhere($input: SignOutEverywhereInput!) {
  signOutEverywhere(input: $input) {
    __typename
    ... on SignOutEverywherePayload {
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SignOutEverywhereMutation, SignOutEverywhereMutationVariables>;
export const SignOutDocument = new TypedDocumentString(`
    mutation SignOut($input: SignOutInput!) {
  signOut(input: $input) {
    __typename
    ... on SignOutPayload {
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SignOutMutation, SignOutMutationVariables>;
export const StartCheckoutDocument = new TypedDocumentString(`
    mutation StartCheckout($input: StartCheckoutInput!) {
  startCheckout(input: $input) {
    __typename
    ... on StartCheckoutPayload {
      url
      expiresAt
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<StartCheckoutMutation, StartCheckoutMutationVariables>;
export const SubscriptionDocument = new TypedDocumentString(`
    query Subscription {
  account {
    plan {
      id
    }
    subscription {
      id
      plan {
        id
        name
      }
      price {
        id
        interval
        amount {
          minorUnits
          exponent
          currency
        }
      }
      status
      period {
        from
        to
      }
      trialEndsAt
      cancelsAt
      graceEndsAt
      pausedAt
      discounts {
        coupon
        name
        percentOff
        amountOff {
          minorUnits
          exponent
          currency
        }
        endsAt
      }
      pendingChange {
        plan {
          id
        }
        priceId
        effectiveAt
        status
      }
    }
  }
}
    `) as unknown as TypedDocumentString<SubscriptionQuery, SubscriptionQueryVariables>;
export const TestWebhookEndpointDocument = new TypedDocumentString(`
    mutation TestWebhookEndpoint($input: WebhookEndpointInput!) {
  testWebhookEndpoint(input: $input) {
    __typename
    ... on TestWebhookEndpointPayload {
      delivery {
        id
        eventType
        status
      }
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<TestWebhookEndpointMutation, TestWebhookEndpointMutationVariables>;
export const UpcomingInvoiceDocument = new TypedDocumentString(`
    query UpcomingInvoice {
  account {
    upcomingInvoice {
      period {
        from
        to
      }
      discounts {
        coupon
        name
        amount {
          minorUnits
          exponent
          currency
        }
      }
      total {
        minorUnits
        exponent
        currency
      }
      due {
        minorUnits
        exponent
        currency
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UpcomingInvoiceQuery, UpcomingInvoiceQueryVariables>;
export const UpdateProfileDocument = new TypedDocumentString(`
    mutation UpdateProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    __typename
    ... on UpdateProfilePayload {
      position
      user {
        id
        name
      }
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateProfileMutation, UpdateProfileMutationVariables>;
export const UpdateRuleSetDocument = new TypedDocumentString(`
    mutation UpdateRuleSet($input: UpdateRuleSetInput!) {
  updateRuleSet(input: $input) {
    __typename
    ... on UpdateRuleSetPayload {
      ruleSet {
        id
        name
        version
      }
      replayed
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateRuleSetMutation, UpdateRuleSetMutationVariables>;
export const UpdateWebhookEndpointDocument = new TypedDocumentString(`
    mutation UpdateWebhookEndpoint($input: UpdateWebhookEndpointInput!) {
  updateWebhookEndpoint(input: $input) {
    __typename
    ... on UpdateWebhookEndpointPayload {
      endpoint {
        id
        url
        eventTypes
        status
      }
      position
    }
    ... on Refusal {
      code
      message
    }
    ... on InvalidInput {
      issues {
        path
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateWebhookEndpointMutation, UpdateWebhookEndpointMutationVariables>;
export const UsageBreakdownDocument = new TypedDocumentString(`
    query UsageBreakdown($accountId: ID, $from: DateTime, $to: DateTime, $filter: UsageFilter, $groupBy: [UsageDimension!]!, $first: Int! = 20) {
  account(id: $accountId) {
    id
    usage(from: $from, to: $to, filter: $filter) {
      from
      to
      stale
      breakdown(groupBy: $groupBy, first: $first) {
        groups {
          group
          calls
          refused
          errors
          meanDurationMs
          totals {
            meter
            quantity
          }
        }
        omittedGroups
        omitted {
          share
          calls
          totals {
            meter
            quantity
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UsageBreakdownQuery, UsageBreakdownQueryVariables>;
export const UsageChangedDocument = new TypedDocumentString(`
    subscription UsageChanged {
  usageChanged {
    position
    at
    totals {
      meter
      quantity
    }
    limits {
      name
      used
      remaining
      resetAt
    }
  }
}
    `) as unknown as TypedDocumentString<UsageChangedSubscription, UsageChangedSubscriptionVariables>;
export const UsageThresholdsDocument = new TypedDocumentString(`
    query UsageThresholds($accountId: ID, $first: Int! = 20, $after: String) {
  account(id: $accountId) {
    id
    usageThresholds(first: $first, after: $after) {
      nodes {
        limit
        meter
        window
        source
        keyId
        percent
        max
        used
        reachedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UsageThresholdsQuery, UsageThresholdsQueryVariables>;
export const UsageTimelineDocument = new TypedDocumentString(`
    query UsageTimeline($accountId: ID, $from: DateTime, $to: DateTime, $interval: UsageInterval! = DAY, $timeZone: TimeZone! = "UTC", $groupBy: [UsageDimension!]! = [], $filter: UsageFilter, $first: Int! = 400) {
  account(id: $accountId) {
    id
    usageTimeline(
      from: $from
      to: $to
      interval: $interval
      timeZone: $timeZone
      groupBy: $groupBy
      filter: $filter
      first: $first
    ) {
      from
      to
      interval
      timeZone
      omittedGroups
      omitted {
        share
        calls
        totals {
          meter
          quantity
        }
      }
      stale
      points {
        from
        to
        group
        calls
        refused
        errors
        meanDurationMs
        totals {
          meter
          quantity
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UsageTimelineQuery, UsageTimelineQueryVariables>;
export const UsageDocument = new TypedDocumentString(`
    query Usage($accountId: ID, $from: DateTime, $to: DateTime, $filter: UsageFilter, $minPosition: String) {
  account(id: $accountId) {
    id
    usage(from: $from, to: $to, filter: $filter, minPosition: $minPosition) {
      from
      to
      stale
      calls
      refused
      errors
      meanDurationMs
      totals {
        meter
        quantity
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UsageQuery, UsageQueryVariables>;
export const UsesDocument = new TypedDocumentString(`
    query Uses($accountId: ID, $filter: UsageFilter, $from: DateTime, $to: DateTime, $first: Int! = 20, $after: String) {
  account(id: $accountId) {
    id
    uses(filter: $filter, from: $from, to: $to, first: $first, after: $after) {
      nodes {
        useId
        at
        keyId
        endpoint
        method
        operation
        source
        status
        durationMs
        refusalCode
        calls
        late
        overLimit
        reversal
        reason
        quantities {
          meter
          quantity
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UsesQuery, UsesQueryVariables>;
export const VerifyEmailDocument = new TypedDocumentString(`
    mutation VerifyEmail($input: VerifyEmailInput!) {
  verifyEmail(input: $input) {
    __typename
    ... on VerifyEmailPayload {
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<VerifyEmailMutation, VerifyEmailMutationVariables>;
export const VerifyKeyDocument = new TypedDocumentString(`
    mutation VerifyKey($input: VerifyKeyInput!) {
  verifyKey(input: $input) {
    __typename
    ... on VerifyKeyPayload {
      valid
      code
      retryAfterSeconds
      keyId
      accountId
      environment
      scopes
      expiresAt
      plan {
        id
        features {
          name
          value
        }
      }
      limits {
        name
        meter
        max
        used
        remaining
        resetAt
      }
      useId
      reservation {
        id
        status
        held {
          meter
          quantity
        }
        expiresAt
      }
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<VerifyKeyMutation, VerifyKeyMutationVariables>;
export const WebhookEndpointsDocument = new TypedDocumentString(`
    query WebhookEndpoints($deliveries: Int! = 20, $filter: WebhookDeliveryFilterInput) {
  webhookEventTypes {
    name
    description
  }
  me {
    account {
      webhookEndpoints(first: 5) {
        nodes {
          id
          url
          eventTypes
          status
          disabledReason
          deliveries(first: $deliveries, filter: $filter) {
            nodes {
              id
              eventType
              status
              givenUpReason
              createdAt
              nextAttemptAt
              attempts {
                at
                durationMs
                status
                failure
              }
            }
            pageInfo {
              hasNextPage
              endCursor
            }
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<WebhookEndpointsQuery, WebhookEndpointsQueryVariables>;
export const WithdrawInvitationDocument = new TypedDocumentString(`
    mutation WithdrawInvitation($input: WithdrawInvitationInput!) {
  withdrawInvitation(input: $input) {
    __typename
    ... on WithdrawInvitationPayload {
      invitationId
      position
    }
    ... on Refusal {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<WithdrawInvitationMutation, WithdrawInvitationMutationVariables>;