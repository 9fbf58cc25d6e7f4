import { createClient } from 'graphql-sse';
import type { AnalysisChangedSubscription } from '../generated/graphql.js';
import { AnalysisChangedDocument, CreateAnalysisDocument } from '../generated/graphql.js';
import type { CreateAnalysisInput } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';

type Changed = NonNullable<AnalysisChangedSubscription['analysisChanged']>;

/** Asks for an analysis; its id and where its file goes. */
export async function createAnalysis(
  t: TestApp,
  credential: string,
  input: CreateAnalysisInput = {},
): Promise<{ readonly id: string; readonly uploadUrl: string }> {
  const { data, errors } = await t.query(CreateAnalysisDocument, { input }, credential);
  const result = data?.createAnalysis;
  if (result?.__typename !== 'CreateAnalysisPayload') {
    throw new Error(`createAnalysis answered ${JSON.stringify(result ?? errors)}`);
  }
  const { id, uploadUrl } = result.analysis;
  return { id, uploadUrl: here(t, uploadUrl ?? '') };
}

/** Tests listen on a port of their own, which PUBLIC_URL does not know. */
export const here = (t: TestApp, url: string): string =>
  `${t.app.url}${url.replace(/^https?:\/\/[^/]+/, '')}`;

export const upload = (url: string, file: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
  fetch(url, { method: 'PUT', body: file });

/** All that a subscription tells until the analysis has ended. */
export async function untilEnded(t: TestApp, id: string, credential: string): Promise<Changed[]> {
  const client = createClient({
    url: `${t.app.url}/graphql`,
    headers: { authorization: `Bearer ${credential}` },
    retryAttempts: 0,
  });
  const told: Changed[] = [];
  try {
    const results = client.iterate<AnalysisChangedSubscription>({
      query: AnalysisChangedDocument.toString(),
      variables: { id },
    });
    for await (const { data, errors } of results) {
      const changed = data?.analysisChanged;
      if (!changed) throw new Error(`nothing is told of ${id}: ${JSON.stringify(errors)}`);
      told.push(changed);
      if (changed.endedAt !== null) break;
    }
    return told;
  } finally {
    client.dispose();
  }
}
