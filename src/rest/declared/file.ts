import { z } from 'zod';
import { ConfigError } from '../../config.js';
import { zodText } from '../../text/zodText.js';
import type { YamlFile } from '../../yamlFile.js';
import { readYamlFile } from '../../yamlFile.js';

const MAX_ROUTES = 200;

/** A JSON Schema, whose words Ajv checks. */
const Schema = z.record(z.string(), z.unknown());
/** JSON, with references and operators (template.ts). */
const Template = z.unknown();
const Line = zodText({ min: 1, max: 300 });

const Failure = z.strictObject({
  status: z.number().int().min(400).max(599).optional(),
  /** With `{name}` for what is known of the failure. */
  message: Line.optional(),
  /** The whole answer, in place of the file's. */
  body: Template.optional(),
});
/** By our codes; `CODE.field` for one field of the input. */
const Failures = z.record(z.string().regex(/^[A-Z][A-Z_]*(\.[A-Za-z]+)?$/), Failure);

const Call = z.strictObject({
  /** What its answer is called: `$data.<name>`. */
  name: z.string().regex(/^[a-z][A-Za-z]*$/),
  document: z.string().min(1),
  variables: z.record(z.string(), Template).default({}),
  /** A credential of an earlier answer, in place of the caller's; where it is null, the call is left out. */
  as: z.string().startsWith('$data.').optional(),
  /** Where it comes to null or false, the call is left out. */
  if: Template.optional(),
});

const DeclaredRoute = z.strictObject({
  /** E.g. `GET /api/v1/keys/{id}`. */
  route: z.string().regex(/^(GET|POST|PUT|PATCH|DELETE) (\/|(\/([a-z0-9._-]+|\{[a-z_]+\}))+)$/),
  summary: Line,
  /** Of the query: this route is for calls that have these values; the one without is for all others. */
  when: z.record(z.string(), z.string()).optional(),
  query: z.record(z.string(), Schema).default({}),
  headers: z.record(z.string().regex(/^[a-z0-9-]+$/), Schema).default({}),
  body: Schema.optional(),
  /** The account that the call is for, where the request names one: another's is not found. */
  account: z.string().startsWith('$').optional(),
  /** A reference: where it is null, there is nothing at the address. */
  found: z.string().startsWith('$').optional(),
  /** Where it comes to an object with `code` and `message`, that is why there is no answer. */
  refusal: Template.optional(),
  /** One operation, whose answer is `$data`. */
  document: z.string().min(1).optional(),
  variables: z.record(z.string(), Template).optional(),
  /** Several, one after the other. */
  calls: z.array(Call).min(1).max(5).optional(),
  /** Whether Stripe sends its events there; without a document. Only where payments are taken. */
  stripe: z.boolean().default(false),
  /** Whether it answers 503 while this process is not ready. */
  health: z.boolean().default(false),
  /** Without a document: whether a call with a credential takes one request of the plan. */
  counted: z.boolean().default(false),
  /** Whether a bad credential counts as none. */
  lenient: z.boolean().default(false),
  status: z.number().int().min(200).max(299).default(200),
  answer: Template,
  /** The address that a browser is sent to: whoever asks for a page gets 303 in place of the answer. */
  redirect: z.string().startsWith('$data.').optional(),
  /** In place of the file's, for this route. */
  failures: Failures.default({}),
  /** The body of this route's failures, in place of the file's. */
  failureBody: Template.optional(),
});
export type DeclaredRoute = z.infer<typeof DeclaredRoute>;
export type Failure = z.infer<typeof Failure>;

const RoutesFile = z.strictObject({
  /** Of the API, as its documentation names it. */
  version: Line,
  /** The headers in which a credential may come. */
  credentials: z.array(z.enum(['authorization', 'x-api-key'])).min(1),
  failures: z.strictObject({
    /** The body of every failure. */
    body: Template,
    codes: Failures.default({}),
    /** Ids of limits: of several that are used up the first of these is told; by default the one that waits longest. */
    first: z.array(z.string()).default([]),
  }),
  /** Whether an address that there is not asks for a credential before it says so. */
  unknownNeedsCredential: z.boolean().default(false),
  routes: z.array(DeclaredRoute).min(1).max(MAX_ROUTES),
});
export type RoutesFile = z.infer<typeof RoutesFile>;

/** The routes of a profile, as they stand in their file. */
export interface Declared {
  readonly routes: RoutesFile;
  readonly source: YamlFile;
}

/**
 * Reads a profile's routes: configuration, and no part of what is published (decision 28).
 * @returns undefined where the profile has none
 * @throws ConfigError that names every problem of the file by its line
 */
export async function readRoutes(file: string): Promise<Declared | undefined> {
  const source = await readYamlFile(file);
  if (!source) return undefined;
  const parsed = RoutesFile.safeParse(source.content);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => `${source.place(path)}: ${path.join('.')}: ${message}`),
    );
  }
  return { routes: parsed.data, source };
}
