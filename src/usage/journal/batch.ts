/** One flush at most (decision 9). */
export const MAX_BATCH_USES = 512;
export const MAX_BATCH_BYTES = 256 * 1024;

/** What a batch's JSON holds beside its groups and the node's name. */
const FRAME_BYTES = 160;

/** What surrounds a use in it, where each has a group of its own. */
const GROUP_BYTES = 32;

/** A use that goes into a batch, as its JSON. */
export interface Entry {
  readonly account: string;
  readonly json: string;
}

/** Which process start of which node a batch comes from. */
export interface Origin {
  readonly node: string;
  readonly start: string;
}

/** How many of the first entries one batch takes; one at least, however large. */
export function batchSize(entries: readonly Entry[], node: string): number {
  let bytes = FRAME_BYTES + node.length;
  let count = 0;
  for (const { json, account } of entries) {
    bytes += Buffer.byteLength(json) + Buffer.byteLength(account) + GROUP_BYTES;
    if (count > 0 && (bytes > MAX_BATCH_BYTES || count >= MAX_BATCH_USES)) break;
    count++;
  }
  return count;
}

/**
 * Canonical JSON (RFC 8785): keys sorted, no white space, groups by account, uses as they came.
 * @param corrected the batch whose uses these are, where they are taken back
 */
export function batchJson(entries: readonly Entry[], { node, start }: Origin, corrected?: string): string {
  const groups = new Map<string, string[]>();
  for (const { account, json } of entries) {
    const uses = groups.get(account);
    if (uses) uses.push(json);
    else groups.set(account, [json]);
  }
  const texts = [...groups.keys()]
    .sort()
    .map((account) => `{"account":"${account}","uses":[${groups.get(account)?.join(',')}]}`);
  const subject = corrected === undefined ? '' : `"batch":"${corrected}",`;
  return `{${subject}"groups":[${texts.join(',')}],"node":"${node}","start":"${start}"}`;
}
