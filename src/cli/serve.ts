import { join } from 'node:path';
import { parseConfig } from '../config.js';
import { jsonLogger } from '../logger.js';
import type { Role } from '../config.js';
import type { Server } from '../main.js';
import { startRole } from '../main.js';
import { progressBar } from './progress.js';

/** Runs the server until it is told to stop, and tells people what to do with it. */
export async function serve(env: NodeJS.ProcessEnv, root: string): Promise<void> {
  const log = jsonLogger();
  // graphql-js 16 leaves a rejection unhandled when a sibling in the same list has failed at once; one
  // field's failure must not end the process.
  process.on('unhandledRejection', (error) => log.error('a promise was rejected and nobody waited', error));
  const progress = progressBar(process.stderr);
  let app: Server;
  let role: Role;
  let mails: string | undefined;
  try {
    const config = parseConfig(env);
    role = config.role;
    if (config.smtpUrl === undefined) mails = join(config.dataDir, 'mail');
    app = await startRole({
      config,
      root,
      log,
      onProgress: progress.show,
      demo: true,
    });
  } catch (error) {
    progress.end();
    // What people can mend has a sentence of its own; the rest needs the stack.
    const known = error instanceof Error && ['ConfigError', 'DataDirInUse'].includes(error.name);
    process.stderr.write(`${known ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
    return;
  }
  progress.end();

  let stopping = false;
  const stop = (): void => {
    if (stopping) {
      process.stderr.write('Stopping at once: what is under way is cut off.\n');
      process.exit(1);
    }
    stopping = true;
    process.stderr.write('Stopping: answering what is under way …\n');
    app.close().then(
      () => process.exit(0),
      (error: Error) => {
        process.stderr.write(`${error.message}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Whoever reads that it is ready may stop it at once.
  process.stdout.write(role === 'projector' ? projectorWelcome(app) : welcome(app, mails));
}

function projectorWelcome({ url }: Server): string {
  return `\nTollgraph is ready at ${url}  (the projector: /health and /metrics, no GraphQL)\n`;
}

/** @param mails the folder with mails, where nothing sends them */
function welcome(
  { url, demoKey, imported, catalogue, example, demoPage, sandbox }: Server,
  mails: string | undefined,
): string {
  const curl = (query: string, header: string | undefined): string =>
    [
      `  curl -s ${url}/graphql -H 'content-type: application/json'`,
      ...(header === undefined ? [] : [` -H '${header}'`]),
      ` \\\n    -d '${JSON.stringify({ query })}'\n`,
    ].join('');
  const register =
    'mutation { registerUser(input: {email: "you@example.com", password: "correct horse"}) { ... on RegisterUserPayload { session { sessionToken } } ... on Refusal { code message } } }';
  const lines = [
    '',
    `Tollgraph is ready at ${url}  (playground; /docs, /schema.graphql, /v1/health, /metrics beside it)`,
    ...(demoPage ? [`The page for people is ${url}/demo`] : []),
    ...(sandbox ? ['Payments go to a sandbox: no money moves, test cards pay (docs/sandbox.md).'] : []),
    ...(mails === undefined ? [] : [`Mails are not sent: each is a file under ${mails} (SMTP_URL).`]),
    ...(imported > 0 ? [`Patterns published or revised: ${imported}`] : []),
    '',
  ];
  if (demoKey === undefined) {
    lines.push(
      'Register, then issue a key with the session token (docs/guide.md):',
      '',
      curl(register, undefined),
    );
    return lines.join('\n');
  }
  const key = `X-API-Key: ${demoKey}`;
  lines.push(
    `Demo key, shown this once:  ${demoKey}`,
    '',
    ...(catalogue
      ? [
          'Search the catalogue by meaning:',
          curl(
            '{ searchPatterns(query: "a remote service keeps failing", first: 3) { edges { similarity node { slug name } } } }',
            key,
          ),
          'Read a pattern:',
          curl(
            '{ pattern(by: { slug: "circuit-breaker" }) { ... on Pattern { name description example { text } } ... on Refusal { code message } } }',
            key,
          ),
        ]
      : []),
    ...(example === undefined
      ? []
      : [
          `Call a route of the product, of which ${url}/docs has all:`,
          `  curl -s ${url}${example} \\\n    -H 'Authorization: Bearer ${demoKey}'\n`,
        ]),
    'See what the key has used, and what is left:',
    curl(
      '{ account { plan { id } usage { totals { meter quantity } breakdown(groupBy: [OPERATION]) { groups { group calls } } } limits { name used remaining resetAt } } }',
      key,
    ),
    'Register yourself:',
    curl(register, undefined),
  );
  return lines.join('\n');
}
