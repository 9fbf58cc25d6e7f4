/** A webhook, ready to be sent. */
export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Why there was no answer. Nothing of it tells what stands behind the address. */
export type NoAnswer =
  | 'URL_NOT_ALLOWED'
  | 'NAME_NOT_RESOLVED'
  | 'ADDRESS_NOT_ALLOWED'
  | 'CONNECTION_FAILED'
  | 'TLS_FAILED'
  | 'TIMED_OUT';

/** The port to receivers. */
export interface WebhookTransport {
  /**
   * Posts once; redirects are not followed, and no more of an answer is read than its status.
   * @returns the status, or why there was none
   * @throws where it is stopped
   */
  post(
    request: WebhookRequest,
    stop: AbortSignal,
  ): Promise<{ readonly status: number } | { readonly failure: NoAnswer }>;
}
