import { Outage } from '../outage.js';

/** Refused where the stream went on while another system was asked: what that said may be old. */
export const STALE = 'STALE';

const MAX_RACES = 10;

/** Tries again where the stream went on while another system was asked. */
export async function retryStale(
  attempt: () => Promise<{ readonly kind: string; readonly refusal?: { readonly code: string } }>,
): Promise<void> {
  for (let race = 0; race < MAX_RACES; race++) {
    const result = await attempt();
    if (result.kind !== 'refused' || result.refusal?.code !== STALE) return;
  }
  throw new Outage('what another system says changes as fast as it is asked');
}
