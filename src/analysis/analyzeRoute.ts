import { Readable } from 'node:stream';
import { z } from 'zod';
import { MEMBERS } from '../graphql/kit/access.js';
import { ApiError } from '../graphql/kit/errors.js';
import { givenId } from '../graphql/kit/ids.js';
import { placeOf } from '../ipAddress.js';
import type { Logger } from '../logger.js';
import type { Dialect, Reply, Route, RouteCall } from '../rest/route.js';
import { governed } from '../rest/route.js';
import type { AnswerHead } from './answer.js';
import { answerJson } from './answerJson.js';
import { ENCODINGS } from './decode.js';
import type { Encoding } from './decode.js';
import type { AnalysisDesk } from './desk.js';
import { answering, Invalid, Refused } from './fastApi.js';
import { FORMAT_NAMES } from './formats/recognise.js';
import type { FormatName } from './formats/recognise.js';
import type { ReadAs } from './events.js';
import { checkPaid, creditsFor, creditsOf, intentIn, refusePayment } from './payment.js';
import { languagesIn } from './ownRules.js';
import type { RunningAnswer } from './pool.js';
import type { FoundRules } from './ruleSets.js';
import type { AnalysisSettings } from './settings.js';
import { reportPdf } from './reportPdf.js';
import type { Payer } from './stored.js';
import { reasonOf } from './stored.js';
import { TooLarge } from './unzip.js';
import type { Upload } from './upload.js';
import { largestForm, receive } from './upload.js';
import type { UploadSlots } from './uploadSlots.js';
import { RETRY_AFTER_SECONDS } from './uploadSlots.js';
import type { RunOptions } from './worker.js';

/** In milliseconds: an upload ends on silence, and after five minutes, which is 10 MB at 280 kbit/s. */
export const UPLOAD_TIME = { silence: 30_000, whole: 300_000 };
/** For reading an answer, in milliseconds: whoever reads holds memory, and of a very long one a thread. */
const ANSWER_MS = 120_000;
/** Cost points of an analysis: those of one request. */
export const COST = 100;

/** As what a file is read. */
type FileOptions = Omit<RunOptions, 'own'>;

const Form = z.object({
  file: z.file(),
  payment_intent_id: z.string().optional(),
  format: z.enum(['auto', ...FORMAT_NAMES]).optional(),
  language: z.string().optional(),
  encoding: z.enum(['auto', ...ENCODINGS]).optional(),
  rule_set: z.string().optional(),
});

const Counts = z.record(z.string(), z.int());
const Answer = z.object({
  total_events: z.int(),
  unique_patterns: Counts,
  sequence_counts: Counts,
  context_summary: z.array(z.looseObject({ context_key: z.string() })),
  summary_text: z.string(),
  timeline: z.array(z.looseObject({ period: z.string() })),
  read_as: z.object({
    format: z.string(),
    encoding: z.string(),
    languages: z.array(z.string()),
    date_order: z.string().nullable(),
    rule_set: z.string().nullable(),
    rules_version: z.int(),
  }),
  categories: z.record(z.string(), z.string()),
  window_size: z.int(),
  total_entries: z.int(),
  repeated_entries: z.int(),
  notices: z.array(z.string()),
  events_csv: z.string(),
  sequences_csv: z.string(),
  context_summary_csv: z.string(),
});

/** `/analyze`: a form with a file in, what was found out. @param answerMs how long the answer may take to be read */
export function analyzeRoute(
  desk: AnalysisDesk,
  slots: UploadSlots,
  dialect: Dialect,
  log: Logger,
  answerMs = ANSWER_MS,
): Route {
  return governed(
    'POST',
    '/analyze',
    {
      access: { scope: 'read', roles: MEMBERS },
      cost: COST,
      quantities: { [desk.settings.meter]: 1 },
      demo: true,
      bodyTime: UPLOAD_TIME,
      spec: {
        summary: 'Analyses one file, which is forgotten with the answer.',
        form: Form,
        query: {
          payment_intent_id: 'The payment for it, where the form does not name it.',
          as: '`pdf` for a report for people instead of JSON.',
        },
        answer: Answer,
      },
      dialect,
    },
    answering(log, async (call) => {
      const running = await analyse(desk, slots, call);
      if (call.query['as'] === 'pdf') {
        running.close();
        return pdfReply(desk, running.head, call.now);
      }
      const { reply, request } = call.http;
      const { socket } = request.raw;
      // It comes once, whether the answer was sent or whoever asked has left.
      const closed = (): void => {
        clearTimeout(deadline);
        running.close();
      };
      const deadline = setTimeout(() => socket.destroy(), answerMs);
      if (reply.raw.closed || socket.destroyed) closed();
      else reply.raw.once('close', closed);
      return {
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: Readable.from(answerJson(running), { objectMode: false }),
      };
    }),
  );
}

/** A report for people. @param at milliseconds since the epoch */
export async function pdfReply(
  { settings }: Pick<AnalysisDesk, 'settings'>,
  head: AnswerHead,
  at: number,
): Promise<Reply> {
  return {
    headers: {
      'content-type': 'application/pdf',
      'content-disposition': 'attachment; filename="analysis.pdf"',
    },
    body: await reportPdf(settings.branding, head, new Date(at)),
  };
}

/** @throws Refused, Invalid, Outage, and what the analysis throws */
async function analyse(desk: AnalysisDesk, slots: UploadSlots, call: RouteCall): Promise<RunningAnswer> {
  const { settings, payment } = desk;
  const { request, reply } = call.http;
  const { caller } = call;
  const accountId = 'accountId' in caller ? caller.accountId : undefined;
  const paymentRequired = desk.paymentRequired && !(accountId !== undefined && desk.included(accountId));
  // Nobody holds anything for a file that is not taken anyway.
  const announced = intentIn(call.query['payment_intent_id']);
  const credits = paymentRequired && announced === undefined ? creditsFor(desk, accountId) : undefined;
  const covered = credits !== undefined && (await creditsOf(desk, accountId)) !== undefined;
  if (paymentRequired && !credits && !payment) refusePayment(announced);
  if (paymentRequired && payment && announced !== undefined) await checkPaid(payment, announced);
  if (Number(request.headers['content-length'] ?? 0) > largestForm(settings.maxBytes)) {
    throw tooLarge(settings);
  }
  const slot = slots.take(placeOf(request.clientAddress ?? '') ?? '');
  if (slot === 'place') throw new ApiError('RATE_LIMITED', undefined, { retryAfter: RETRY_AFTER_SECONDS });
  if (slot === 'total') {
    throw new Refused(503, 'Too many files are being analysed. Try again in a few seconds.', {
      'retry-after': String(RETRY_AFTER_SECONDS),
    });
  }
  const left = new AbortController();
  reply.raw.once('close', () => {
    slot();
    left.abort();
  });
  if (request.raw.socket.destroyed) left.abort();
  const wanted = (name: string): boolean =>
    settings.extensions.some((extension) => name.toLowerCase().endsWith(extension));
  try {
    const upload = await receive(request, wanted, settings.maxBytes).catch((error: unknown) => {
      throw error instanceof TooLarge
        ? error
        : new Invalid(['body'], 'The form cannot be read', 'value_error');
    });
    const intent = announced ?? intentIn(upload.fields.get('payment_intent_id'));
    if (paymentRequired && announced === undefined && (intent !== undefined || !credits)) {
      if (payment) await checkPaid(payment, intent);
      else if (!covered) refusePayment(intent);
    }
    const bytes = checkFile(upload, settings, wanted);
    // With the last credit spent, what it has paid for is paid all the same.
    if (intent === undefined && credits && !covered && !(await desk.stored.isBegun({ credits }, bytes))) {
      refusePayment(undefined);
    }
    const own = await ownRules(upload, desk, caller);
    const options = optionsOf(upload, own ? languagesIn(own.content) : [...desk.rules.languages.keys()]);
    // Last, when nothing else is wrong with the call: a payment is used for good.
    const payer = intent !== undefined && payment ? { intent } : credits && { credits };
    const running =
      paymentRequired && payer
        ? analysePaid(desk, payer, bytes, { options, own }, left.signal)
        : desk.pool.run(bytes, { ...options, own }, left.signal);
    return await quietly(request, running);
  } catch (error) {
    throw error instanceof TooLarge ? tooLarge(settings) : error;
  }
}

/**
 * An analysis that was paid for is done, or the money goes back, whatever becomes of this process; the same file
 * again is the same analysis. @throws Refused, and what the analysis throws
 */
async function analysePaid(
  { stored, pool }: AnalysisDesk,
  payer: Payer,
  bytes: Uint8Array<ArrayBuffer>,
  { options, own }: { readonly options: FileOptions; readonly own: FoundRules | undefined },
  left: AbortSignal,
): Promise<RunningAnswer> {
  const begun = await stored.begin(payer, bytes, definedOf(options), own?.ref ?? null);
  if (!begun) {
    const gone = 'The credits of the account were spent meanwhile';
    throw new Refused(402, 'intent' in payer ? 'This payment was used for another file' : gone);
  }
  const { id, state } = begun;
  if (state.ended === 'failed') {
    throw new Refused(402, 'The analysis of this file has failed, and the payment goes back');
  }
  try {
    const running = await pool.run(bytes, { ...options, own }, left);
    await stored.complete(id, running.head, null).catch((error: unknown) => {
      running.close();
      throw error;
    });
    return running;
  } catch (error) {
    const reason = reasonOf(error);
    if (reason !== undefined) await stored.fail(id, reason);
    throw error;
  } finally {
    stored.leave(id);
  }
}

/** Without what is left out. */
const definedOf = (options: FileOptions): ReadAs =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/** A connection is silent while its file waits and is analysed; that is no reason to end it. */
function quietly<T>(
  { raw: { socket }, server }: RouteCall['http']['request'],
  running: Promise<T>,
): Promise<T> {
  socket.setTimeout(0);
  return running.finally(() => socket.setTimeout(server.server.timeout));
}

function checkFile(
  { file, files }: Upload,
  settings: AnalysisSettings,
  wanted: (name: string) => boolean,
): Uint8Array<ArrayBuffer> {
  if (!file) throw new Invalid(['body', 'file'], 'Field required', 'missing');
  if (files > 1) throw new Refused(400, `Send one file at a time: ${files} came.`);
  if (!wanted(file.name)) {
    throw new Refused(400, `File type not allowed. Allowed types: ${settings.extensions.join(', ')}`);
  }
  if (!file.bytes) throw tooLarge(settings);
  return file.bytes;
}

function tooLarge({ maxBytes }: AnalysisSettings): Refused {
  const mega = maxBytes / (1024 * 1024);
  return new Refused(413, `File too large. Maximum size: ${Number(mega.toFixed(2))}MB`);
}

/** @throws Invalid */
function optionsOf(upload: Upload, languages: readonly string[]): FileOptions {
  return {
    format: chosen(upload, 'format', FORMAT_NAMES) as FormatName | undefined,
    encoding: chosen(upload, 'encoding', ENCODINGS) as Encoding | undefined,
    languages: languagesOf(upload, languages),
  };
}

/** The account's own rules, where it has chosen some. @throws Refused */
async function ownRules(
  { fields }: Upload,
  { ruleSets }: AnalysisDesk,
  caller: RouteCall['caller'],
): Promise<FoundRules | undefined> {
  const given = fields.get('rule_set') ?? '';
  if (given === '') return undefined;
  const found =
    'accountId' in caller ? await ruleSets.current(givenId('RuleSet', given), caller.accountId) : undefined;
  if (!found) throw new Refused(404, 'There is no rule set with this id');
  return found;
}

/** @throws Invalid for what is not one of them */
function chosen({ fields }: Upload, name: string, of: readonly string[]): string | undefined {
  const value = fields.get(name) ?? '';
  if (value === '' || value === 'auto') return undefined;
  if (of.includes(value)) return value;
  throw new Invalid(['body', name], `Input should be one of: auto, ${of.join(', ')}`, 'enum');
}

function languagesOf({ fields }: Upload, languages: readonly string[]): readonly string[] | undefined {
  const value = fields.get('language') ?? '';
  if (value === '' || value === 'auto') return undefined;
  const names = [...new Set(value.split(',').map((name) => name.trim()))];
  if (names.every((name) => languages.includes(name))) return names;
  throw new Invalid(
    ['body', 'language'],
    `Input should be auto, or of these, separated by commas: ${languages.join(', ')}`,
    'enum',
  );
}
