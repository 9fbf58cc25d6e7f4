/** What makes a user an operator: the configuration's OPERATORS, or another operator. */
export type OperatorSource = 'configuration' | 'operator';

interface Operator {
  readonly userId: string;
  /** The user's own account. */
  readonly accountId: string;
  readonly source: OperatorSource;
  readonly reason: string;
}

/** Stream `operators-main`: who stands above accounts. One stream for all, so that the last one stays. */
export type OperatorEvent =
  | { readonly type: 'OperatorGranted'; readonly data: Operator }
  /** Of one source; who has the other too is an operator still. */
  | { readonly type: 'OperatorRevoked'; readonly data: Operator };

export const OPERATORS_STREAM = 'operators-main';
