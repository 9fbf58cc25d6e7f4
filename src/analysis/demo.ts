import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { ENCODINGS } from './decode.js';
import { FORMAT_NAMES } from './formats/recognise.js';
import type { RuleSet } from './rules.js';
import type { AnalysisSettings } from './settings.js';
import { MAX_FILES } from './settings.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** Nothing but the page's own files, and nothing within its text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = 'index.html';

/** The page at `/demo`, its files under `/demo/`, and what it has to know as `/demo/settings.json`. */
export async function serveDemo(
  fastify: FastifyInstance,
  folder: string,
  { branding, extensions, maxBytes, price }: AnalysisSettings,
  { categories, languages, window }: RuleSet,
  paymentRequired: boolean,
): Promise<void> {
  for (const file of await readdir(folder)) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const content = await readFile(join(folder, file));
    fastify.get(file === PAGE ? '/demo' : `/demo/${file}`, async (_request, reply) =>
      reply
        .type(type)
        .header('content-security-policy', POLICY)
        .header('cache-control', 'no-cache')
        .send(content),
    );
  }
  const settings = {
    title: branding.title,
    link: branding.link,
    extensions,
    maxBytes,
    price,
    paymentRequired,
    filesAtOnce: MAX_FILES,
    categories: Object.fromEntries(categories),
    window,
    languages: [...languages.keys()],
    formats: FORMAT_NAMES,
    encodings: ENCODINGS,
  };
  fastify.get('/demo/settings.json', async () => settings);
}
