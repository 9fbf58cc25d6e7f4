import type { Readable } from 'node:stream';
import { z } from 'zod';
import { ApiError } from '../graphql/kit/errors.js';
import { placeOf } from '../ipAddress.js';
import { problem, problemOf } from '../rest/problem.js';
import type { Dialect, Reply, Route, RouteCall } from '../rest/route.js';
import { governed, guarded } from '../rest/route.js';
import { headIn } from './answerJson.js';
import { COST, pdfReply, UPLOAD_TIME } from './analyzeRoute.js';
import type { AnalysisDesk } from './desk.js';
import type { AnalysisLinks } from './links.js';
import type { UploadSlots } from './uploadSlots.js';
import { RETRY_AFTER_SECONDS } from './uploadSlots.js';

/** Bodies are read by the routes themselves, whatever their type. */
const files: Dialect = {
  refuse: problemOf,
  methodNotAllowed: problemOf(new ApiError('METHOD_NOT_ALLOWED')).body,
  failure: z.object({}),
  prepare: async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  },
};

const TOKEN = { token: 'Of the link.' };
const Received = z.object({ id: z.string(), status: z.literal('QUEUED') });

/** What links of GraphQL lead to: the file of an analysis goes in, its result out. */
export function fileRoutes(desk: AnalysisDesk, links: AnalysisLinks, slots: UploadSlots): Route[] {
  const { settings, stored } = desk;
  const upload = governed(
    'PUT',
    '/v1/analyses/:id/file',
    {
      access: { scope: 'write' },
      cost: COST,
      quantities: { [settings.meter]: 1 },
      caller: ({ params, query, now }) => links.callerOf('file', params['id'] ?? '', query['token'], now),
      problems: true,
      dialect: files,
      bodyTime: UPLOAD_TIME,
      spec: {
        summary: 'Takes the file of an analysis, with the link that `createAnalysis` has given.',
        query: TOKEN,
        file: true,
        answer: Received,
      },
    },
    async (call) => {
      const slot = slots.take(placeOf(call.http.request.clientAddress ?? '') ?? '');
      if (typeof slot === 'string') {
        const code = slot === 'place' ? 'RATE_LIMITED' : 'TRY_AGAIN';
        throw new ApiError(code, undefined, { retryAfter: RETRY_AFTER_SECONDS });
      }
      try {
        return await receive(desk, call);
      } finally {
        slot();
      }
    },
  );
  const result: Route = {
    ...guarded(
      'GET',
      '/v1/analyses/:id/result',
      { access: { scope: 'read' } },
      async ({ params, query, now }) => {
        const id = params['id'] ?? '';
        const body = await stored.result(id);
        if (body === null) return gone();
        if (query['as'] === 'pdf') return pdfReply(desk, headIn(body), now);
        if (settings.untilFetched) await stored.fetched(id);
        return { headers: { 'content-type': 'application/json; charset=utf-8' }, body };
      },
    ),
    caller: ({ params, query, now }) => links.callerOf('result', params['id'] ?? '', query['token'], now),
    problems: true,
    dialect: files,
    spec: {
      summary: 'The result of an analysis as `/analyze` answers it, with the link that `analysis` has given.',
      query: { ...TOKEN, as: '`pdf` for a report for people instead of JSON.' },
      answer: z.looseObject({ total_events: z.int() }),
    },
  };
  return [upload, result];
}

const gone = (): Reply =>
  problem(410, 'RESULT_GONE', 'The result was fetched, or its time is over. Analyse the file again.');

async function receive(
  { settings, stored, payment, credits }: AnalysisDesk,
  call: RouteCall,
): Promise<Reply> {
  const id = call.params['id'] ?? '';
  const { request, file } = await stored.state(id);
  if (request?.intent != null) {
    const status = await payment?.statusOf(request.intent);
    if (status !== 'paid') {
      return problem(402, 'PAYMENT_REQUIRED', `The payment is not made. Status: ${status ?? 'unknown'}.`);
    }
  }
  // Sent again, it was paid before.
  if (
    request?.credits &&
    !file &&
    !(await credits?.covers(request.credits.accountId, request.credits.amount))
  ) {
    return problem(402, 'PAYMENT_REQUIRED', 'The credits of the account were spent meanwhile.');
  }
  const bytes = await read(call.body as Readable | undefined, settings.maxBytes);
  if (!bytes) {
    return problem(413, 'BODY_TOO_LARGE', `The file may have at most ${settings.maxBytes} bytes.`);
  }
  const code = await stored.receive(id, bytes);
  if (code === undefined) {
    const body = { id: `ana_${id}`, status: 'QUEUED' };
    return file ? { status: 202, body, repeated: true } : { status: 202, body };
  }
  return code === 'FILE_RECEIVED'
    ? problem(409, code, 'This analysis has its file. Create another one.')
    : problem(404, 'NOT_FOUND', 'There is no analysis with this id.');
}

/** @returns undefined for more than `most` bytes */
async function read(body: Readable | undefined, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += (chunk as Buffer).length;
    if (bytes > most) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, bytes);
}
