import { start } from '../src/main.js';
import { parseConfig } from '../src/config.js';
import { silentLogger } from '../src/logger.js';
import { median } from './statistics.js';

const PASSWORD = 'correct horse battery staple';
/** Below the ten failures that one e-mail may have. */
const ATTEMPTS_PER_EMAIL = 9;
const WARM_UP = 20;

const REGISTER = 'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { __typename } }';
const SIGN_IN =
  'mutation ($input: SignInInput!) { signIn(input: $input) { __typename ... on Refusal { code } } }';

export interface SignInFigures {
  /** Of a sign-in with a wrong password, in milliseconds, from the request to the answer. */
  readonly knownMs: number;
  /** The same for an e-mail that nobody has. */
  readonly unknownMs: number;
}

/**
 * How long a refused sign-in takes for e-mails that are registered and for others, over HTTP, one at a time
 * and in turn; medians.
 */
export async function benchSignIn(dataDir: string, each: number): Promise<SignInFigures> {
  const app = await start({
    config: parseConfig({ DATA_DIR: dataDir, PORT: '0', EMBEDDINGS: 'off', TRUST_PROXY: '1' }),
    root: process.cwd(),
    log: silentLogger,
    patterns: null,
  });
  let calls = 0;
  const post = async (query: string, input: object): Promise<string> => {
    calls++;
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      // Every call from another address: what limits them is not what is measured.
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': `10.${calls >> 16}.${(calls >> 8) & 255}.${calls & 255}`,
      },
      body: JSON.stringify({ query, variables: { input } }),
    });
    return response.text();
  };
  const known = (user: number): string => `known${user}@example.com`;
  const unknown = (user: number): string => `nobody${user}@example.com`;
  const refused = async (email: string): Promise<number> => {
    const started = performance.now();
    const answer = await post(SIGN_IN, { email, password: 'not the password of anybody' });
    const ms = performance.now() - started;
    if (!answer.includes('SIGN_IN_REFUSED')) throw new Error(`signIn answered ${answer}`);
    return ms;
  };

  try {
    const all = each + WARM_UP;
    const users = Math.ceil(all / ATTEMPTS_PER_EMAIL);
    for (let user = 0; user < users; user++) {
      const answer = await post(REGISTER, { email: known(user), password: PASSWORD });
      if (!answer.includes('RegisterUserPayload')) throw new Error(`registerUser answered ${answer}`);
    }
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let i = 0; i < all; i++) {
      const user = i % users;
      // The first of a pair changes from one to the next, so that neither has the better place.
      const pair = [
        async () => times.known.push(await refused(known(user))),
        async () => times.unknown.push(await refused(unknown(user))),
      ];
      for (const attempt of i % 2 === 0 ? pair : pair.reverse()) await attempt();
    }
    return {
      knownMs: median(times.known.slice(WARM_UP)),
      unknownMs: median(times.unknown.slice(WARM_UP)),
    };
  } finally {
    await app.close();
  }
}
