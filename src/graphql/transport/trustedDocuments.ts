import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../kit/errors.js';

/** Documents by their ids: a client sends `documentId` in place of `query` (GraphQL over HTTP, persisted documents). */
export type TrustedDocuments = ReadonlyMap<string, string>;

/** Of a document: it names its text. */
export const documentIdOf = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** Reads `schema/operations.json`, which `npm run schema` makes of `schema/operations/`; none without it. */
export async function readTrustedDocuments(root: string): Promise<TrustedDocuments> {
  const file = join(root, 'schema', 'operations.json');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{}';
    throw error;
  });
  return new Map(Object.entries(JSON.parse(text) as Record<string, string>));
}

/** Puts the document of a POST in the place of its id. @throws ApiError DOCUMENT_UNKNOWN, BODY_INVALID */
export function insertDocument(documents: TrustedDocuments, request: FastifyRequest): void {
  const sent = request.body;
  if (typeof sent !== 'object' || sent === null || !('documentId' in sent)) return;
  const { documentId, ...rest } = sent as Record<string, unknown>;
  if (typeof documentId !== 'string' || 'query' in rest) {
    throw new ApiError('BODY_INVALID', 'Send either "query" or "documentId", as text.');
  }
  const query = documents.get(documentId);
  if (query === undefined) throw new ApiError('DOCUMENT_UNKNOWN');
  request.body = { ...rest, query };
}
