import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type {
  FastifyContextConfig,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
} from 'fastify';
import type { AddressGuard } from '../gate/addressGuard.js';
import { ERRORS } from '../graphql/kit/errors.js';
import { errorBody } from '../http/errorBody.js';
import { placeOf } from '../ipAddress.js';
import type { Logger } from '../logger.js';
import { CSVS } from './answer.js';
import { ENCODINGS } from './decode.js';
import type { Encoding } from './decode.js';
import { FORMAT_NAMES } from './formats/recognise.js';
import type { FormatName } from './formats/recognise.js';
import type { AnalysisPool, RunningAnswer } from './pool.js';
import { AnalysisFailed, CallerLeft } from './pool.js';
import { AnalysisRefused } from './refused.js';
import type { RuleSet } from './rules.js';
import type { AnalysisSettings } from './settings.js';
import { TooLarge } from './unzip.js';
import type { Upload } from './upload.js';
import { acceptForms, largestForm, receive } from './upload.js';
import { UploadSlots } from './uploadSlots.js';

/** Files that are held at once, and of one place; whoever comes then is asked to wait. */
const MAX_UPLOADS = 16;
const MAX_UPLOADS_OF_PLACE = 2;
const RETRY_AFTER_SECONDS = 5;
/** In milliseconds: an upload ends on silence, and after five minutes, which is 10 MB at 280 kbit/s. */
const UPLOAD_TIME = { silence: 30_000, whole: 300_000 };
/** For reading an answer, in milliseconds: whoever reads holds memory, and of a very long one a thread. */
const ANSWER_MS = 120_000;
/** What is still sent of a body that nobody reads is taken as long: browsers read no answer before. */
const DRAIN_MS = 30_000;

export interface AnalysisRoutes {
  readonly settings: AnalysisSettings;
  readonly rules: RuleSet;
  readonly pool: AnalysisPool;
  readonly paymentRequired: boolean;
  /** Undefined where nobody takes payments: what has to be paid for is refused. */
  readonly payment?: AnalysisPayment | undefined;
  /** What keeps the process from serving; empty when it is ready. */
  readonly problems: () => readonly string[];
  /** Of each route by address. */
  readonly guard: AddressGuard;
  readonly log: Logger;
  /** How long an answer may take to be read, in milliseconds. */
  readonly answerMs?: number;
}

/** Takes a payment for one analysis. */
export interface AnalysisPayment {
  create(): Promise<{ readonly id: string; readonly clientSecret: string }>;
  /** `paid`, or another word for where it stands; undefined for one that is none of ours. */
  statusOf(intent: string): Promise<string | undefined>;
  /** @returns whether it is free for the file with this hash */
  use(intent: string, hash: string): Promise<boolean>;
}

/** What the caller did or lacks, in the shape of FastAPI with the status as `code`. */
class Refused extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
    readonly also: object = {},
  ) {
    super(detail);
  }
}

/** A form or body that does not say what it has to. */
class Invalid extends Error {
  constructor(
    readonly loc: readonly (string | number)[],
    readonly msg: string,
    readonly type: string,
  ) {
    super(msg);
  }
}

/** `/analyze`, `/patterns`, `/version`, `/health` and `/create-payment-intent` of a profile that sells analyses. */
export async function serveAnalysis(fastify: FastifyInstance, options: AnalysisRoutes): Promise<void> {
  await fastify.register(async (scope) => {
    await acceptForms(scope);
    scope.addHook('onRequest', (request, _reply, done) => done(encodingRefused(request)));
    // Another body is one without the fields that are asked for; read as far as any, so that it has an end.
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
    scope.setErrorHandler((error: FastifyError, _request, reply) => refuse(reply, error, options.log));
    scope.addHook('onRequest', (request, _reply, done) => {
      const wait = options.guard.take(placeOfCaller(request), request.routeOptions.url ?? '');
      done(wait === 0 ? undefined : rateLimited(Math.ceil(wait / 1000)));
    });
    scope.addHook('onResponse', (request, _reply, done) => {
      drain(request);
      done();
    });
    serveFacts(scope, options);
    servePayment(scope, options);
    serveAnalyze(scope, options);
  });
}

/** A form is read as it comes: unpacking it first would take a second bound, on what it comes to. */
function encodingRefused({ headers }: FastifyRequest): Refused | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return undefined;
  return new Refused(415, 'Send the body without Content-Encoding', {
    'accept-encoding': 'identity',
    // Otherwise what is not read would be waited for.
    connection: 'close',
  });
}

function serveFacts(
  scope: FastifyInstance,
  { settings, rules, paymentRequired, problems }: AnalysisRoutes,
): void {
  const health: Handler = async (_request, reply) => {
    const healthy = problems().length === 0;
    return reply
      .status(healthy ? 200 : 503)
      .send({ status: healthy ? 'healthy' : 'unhealthy', payment_enabled: paymentRequired });
  };
  // Probes come past the proxy.
  only(scope, 'GET', '/health', health, { plainHttp: true });
  only(scope, 'GET', '/version', async () => ({ version: settings.version }));
  const patterns = patternsOf(rules);
  only(scope, 'GET', '/patterns', async () => patterns);
}

/** Categories with how many patterns the default language has for them. */
function patternsOf({ categories, sequences, window, languages, defaultLanguage }: RuleSet): object {
  const own = languages.get(defaultLanguage)?.categories;
  return {
    total_categories: categories.size,
    categories: Object.fromEntries(
      [...categories].map(([name, description]) => {
        const { phrases = [], tokens = [] } = own?.get(name) ?? {};
        return [name, { phrase_patterns: phrases.length, token_patterns: tokens.length, description }];
      }),
    ),
    sequences: sequences.map((pair) => pair.join(' -> ')),
    window_size: window,
    languages: [...languages.keys()],
    formats: FORMAT_NAMES,
  };
}

function servePayment(
  scope: FastifyInstance,
  { paymentRequired, payment, settings: { price } }: AnalysisRoutes,
): void {
  only(scope, 'POST', '/create-payment-intent', async ({ body }) => {
    if (!paymentRequired) throw new Refused(400, 'Payment is not required in this mode');
    if (!payment) throw new Refused(503, 'Payment service not configured');
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new Invalid(['body'], 'Input should be a valid dictionary', 'dict_type');
    }
    const { amount = price.amount, currency = price.currency } = body as Record<string, unknown>;
    // The price is the service's, and not the caller's.
    if (amount !== price.amount || currency !== price.currency) {
      throw new Refused(400, `An analysis costs ${price.amount} ${price.currency}, in the smallest unit`);
    }
    const { id, clientSecret } = await payment.create();
    return { client_secret: clientSecret, payment_intent_id: id, amount: price.amount };
  });
}

function serveAnalyze(
  scope: FastifyInstance,
  { settings, rules, pool, paymentRequired, payment, answerMs = ANSWER_MS }: AnalysisRoutes,
): void {
  const slots = new UploadSlots(MAX_UPLOADS, MAX_UPLOADS_OF_PLACE);
  const wanted = (name: string): boolean =>
    settings.extensions.some((extension) => name.toLowerCase().endsWith(extension));

  const analyze: Handler = async (request, reply) => {
    // Nobody holds anything for a file that is not taken anyway.
    if (paymentRequired && !payment) refusePayment(request);
    const announced = intentIn((request.query as Record<string, unknown>)['payment_intent_id']);
    if (paymentRequired && payment && announced !== undefined) await checkPaid(payment, announced);
    if (Number(request.headers['content-length'] ?? 0) > largestForm(settings.maxBytes)) {
      throw tooLarge(settings);
    }
    const slot = slots.take(placeOfCaller(request));
    if (slot === 'place') throw rateLimited(RETRY_AFTER_SECONDS);
    if (slot === 'total') {
      throw new Refused(503, 'Too many files are being analysed. Try again in a few seconds.', {
        'retry-after': String(RETRY_AFTER_SECONDS),
      });
    }
    const left = new AbortController();
    // It comes once, whether the answer was sent or whoever asked has left.
    reply.raw.once('close', () => {
      slot();
      left.abort();
    });
    const { socket } = request.raw;
    if (socket.destroyed) left.abort();
    try {
      const upload = await receive(request, wanted, settings.maxBytes).catch((error: unknown) => {
        throw error instanceof TooLarge
          ? error
          : new Invalid(['body'], 'The form cannot be read', 'value_error');
      });
      const intent = announced ?? intentIn(upload.fields.get('payment_intent_id'));
      if (paymentRequired && payment && announced === undefined) await checkPaid(payment, intent);
      const bytes = checkFile(upload, settings, wanted);
      const options = {
        format: chosen(upload, 'format', FORMAT_NAMES) as FormatName | undefined,
        encoding: chosen(upload, 'encoding', ENCODINGS) as Encoding | undefined,
        languages: languagesOf(upload, rules),
      };
      // Last, when nothing else is wrong with the call: a payment is used for one file.
      if (paymentRequired && payment && intent !== undefined) await usePayment(payment, intent, bytes);
      // A connection is silent while its file waits and is analysed; that is no reason to end it.
      socket.setTimeout(0);
      const running = await pool
        .run(bytes, options, left.signal)
        .finally(() => socket.setTimeout(scope.server.timeout));
      const deadline = setTimeout(() => socket.destroy(), answerMs);
      left.signal.addEventListener('abort', () => {
        clearTimeout(deadline);
        running.close();
      });
      if (left.signal.aborted) {
        clearTimeout(deadline);
        running.close();
      }
      return await reply
        .type('application/json; charset=utf-8')
        .send(Readable.from(json(running), { objectMode: false }));
    } catch (error) {
      if (error instanceof TooLarge) throw tooLarge(settings);
      throw error;
    }
  };
  only(scope, 'POST', '/analyze', analyze, { bodyTime: UPLOAD_TIME });
}

/**
 * No payment service is configured yet, so there is no intent that could have been paid: nothing is read for
 * one that stands in the form.
 */
function refusePayment({ query }: FastifyRequest): never {
  const id = (query as Record<string, unknown>)['payment_intent_id'];
  if (id === undefined || id === '') {
    throw new Refused(402, 'Payment required. Please provide payment_intent_id.');
  }
  throw new Refused(402, 'Payment verification failed');
}

const intentIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** @throws Refused, and Outage where nobody knows */
async function checkPaid(payment: AnalysisPayment, intent: string | undefined): Promise<void> {
  if (intent === undefined) throw new Refused(402, 'Payment required. Please provide payment_intent_id.');
  const status = await payment.statusOf(intent);
  if (status === undefined) throw new Refused(402, 'Payment verification failed');
  if (status !== 'paid') throw new Refused(402, `Payment not completed. Status: ${status}`);
}

/** The same file again is the same analysis. @throws Refused */
async function usePayment(payment: AnalysisPayment, intent: string, bytes: Uint8Array): Promise<void> {
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (await payment.use(intent, hash)) return;
  throw new Refused(402, 'This payment was used for another file');
}

/** What counts as one caller: of IPv6 everybody has a network of addresses. */
function placeOfCaller({ clientAddress }: FastifyRequest): string {
  return placeOf(clientAddress ?? '') ?? '';
}

/** A refusal that both who knows FastAPI and who knows our other routes can read. */
function rateLimited(seconds: number): Refused {
  const also = errorBody('RATE_LIMITED');
  return new Refused(429, ERRORS.RATE_LIMITED[1], { 'retry-after': String(seconds) }, also);
}

/** Takes what still comes of a body that nobody reads, for a while, so that the answer is seen. */
function drain({ raw }: FastifyRequest): void {
  if (raw.complete || raw.socket.destroyed) return;
  raw.unpipe();
  raw.resume();
  const timer = setTimeout(() => raw.socket.destroy(), DRAIN_MS).unref();
  raw.once('end', () => clearTimeout(timer));
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

/** @throws Invalid for what is not one of them */
function chosen({ fields }: Upload, name: string, of: readonly string[]): string | undefined {
  const value = fields.get(name) ?? '';
  if (value === '' || value === 'auto') return undefined;
  if (of.includes(value)) return value;
  throw new Invalid(['body', name], `Input should be one of: auto, ${of.join(', ')}`, 'enum');
}

function languagesOf({ fields }: Upload, { languages }: RuleSet): readonly string[] | undefined {
  const value = fields.get('language') ?? '';
  if (value === '' || value === 'auto') return undefined;
  const names = [...new Set(value.split(',').map((name) => name.trim()))];
  if (names.every((name) => languages.has(name))) return names;
  throw new Invalid(
    ['body', 'language'],
    `Input should be auto, or of these, separated by commas: ${[...languages.keys()].join(', ')}`,
    'enum',
  );
}

/** The answer as JSON, as it comes: a CSV may be larger than what should be held. */
async function* json({ head, pieces }: RunningAnswer): AsyncGenerator<string | Uint8Array> {
  yield JSON.stringify(head).slice(0, -1);
  let current: string | undefined;
  for await (const { csv, json } of pieces) {
    if (csv !== current) yield `${current === undefined ? '' : '"'},"${csv}":"`;
    current = csv;
    yield json;
  }
  if (current !== CSVS.at(-1)) throw new Error('a CSV is missing');
  yield '"}';
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** A route of one method; the others are told so, as FastAPI does. */
function only(
  scope: FastifyInstance,
  method: 'GET' | 'POST',
  url: string,
  handler: Handler,
  config: FastifyContextConfig = {},
): void {
  scope.route({ method, url, handler, config });
  scope.route({
    method: (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter((other) => other !== method),
    url,
    handler: async (_request, reply) =>
      reply.status(405).header('allow', method).send({ detail: 'Method Not Allowed' }),
  });
}

function refuse(reply: FastifyReply, error: FastifyError, log: Logger): FastifyReply {
  if (error instanceof Invalid) {
    const { loc, msg, type } = error;
    return reply.status(422).send({ detail: [{ loc, msg, type }] });
  }
  if (error instanceof Refused) {
    const { status, detail, headers, also } = error;
    return reply
      .status(status)
      .headers(headers)
      .send({ ...also, ...coded(status, detail) });
  }
  if (error instanceof AnalysisRefused) return reply.status(400).send(coded(400, error.message));
  // What Fastify finds wrong with a request.
  if ((error.statusCode ?? 500) < 500) {
    return reply
      .status(422)
      .send({ detail: [{ loc: ['body'], msg: 'The body cannot be read', type: 'value_error' }] });
  }
  // Nobody reads this any more, and it is no fault of ours.
  if (error instanceof CallerLeft) return reply.status(499).send(coded(499, 'The connection was closed'));
  // Only the name of an error is logged: its message may hold something of the file.
  log.error('an analysis failed', new Error(error instanceof AnalysisFailed ? error.message : error.name));
  return reply.status(500).send(coded(500, 'Analysis failed: the file could not be analysed'));
}

function coded(status: number, detail: string): object {
  return { detail, code: String(status) };
}
