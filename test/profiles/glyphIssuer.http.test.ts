import { randomUUID } from 'node:crypto';
import type { Cognito } from '../oidc/cognito.js';
import { startCognito } from '../oidc/cognito.js';
import type { Product } from './product.js';
import { startProduct } from './product.js';

// The document API with its users at AWS Cognito; whoever has none registers by invitation.

const OPERATOR = { email: 'operator@example.com', password: 'correct horse' };

let cognito: Cognito;
let p: Product;
beforeAll(async () => {
  cognito = await startCognito();
  const { issuer, clientId } = cognito;
  const issuers = [
    {
      issuer,
      audience: clientId,
      claims: { audience: ['aud', 'client_id'], name: 'cognito:username' },
      require: { token_use: ['id', 'access'] },
    },
  ];
  const env = {
    OIDC_ISSUERS: JSON.stringify(issuers),
    REGISTRATION: 'invitation',
    OPERATORS: OPERATOR.email,
  };
  p = await startProduct('glyph', { env });
});
afterAll(async () => {
  await p.close();
  await cognito.close();
});

const newcomer = () => {
  const sub = randomUUID();
  return { sub, email: `${sub}@example.com` };
};

describe('a token of the issuer', () => {
  it('is a session: the first one that says the e-mail makes the account, and every other finds it', async () => {
    const { sub, email } = newcomer();
    const idToken = await cognito.idToken({ sub, email });
    const me = await p.ask('GET /auth/me', { key: idToken });
    expect([me.status, me.body]).toMatchObject([200, { email, tier: 'free', status: 'active' }]);
    const again = await p.ask('GET /auth/me', { key: await cognito.accessToken(sub) });
    expect([again.status, again.body]).toEqual([200, me.body]);
    const issued = await p.ask('POST /api-keys/generate', { key: idToken, body: { name: 'ci' } });
    expect(issued.status).toBe(201);
    const { key } = issued.body as { key: string };
    expect((await p.ask('GET /billing/status', { key })).body).toMatchObject({
      tier: 'free',
      calls_limit: 100,
    });
  });

  it('is refused where nobody can be known by it, with the headers of every answer', async () => {
    const { sub, email } = newcomer();
    const refused = [
      await cognito.accessToken(sub),
      await cognito.idToken({ sub, email, email_verified: false }),
      await cognito.idToken({ sub, email, aud: 'another client' }),
      await cognito.idToken({ sub, email, token_use: 'refresh' }),
    ];
    for (const key of refused) {
      const { status, body, headers } = await p.ask('GET /auth/me', { key });
      expect([status, Object.keys(body as object)]).toEqual([401, ['detail']]);
      expect(headers.get('x-subscription-tier')).toBe('none');
    }
  });
});

describe('POST /auth/register and /auth/login', () => {
  const register = (email: string) =>
    p.ask('POST /auth/register', { body: { email, password: 'correct horse' } });

  it('are for whoever has a password of ours, and nobody else', async () => {
    const { sub, email } = newcomer();
    expect((await p.ask('GET /auth/me', { key: await cognito.idToken({ sub, email }) })).status).toBe(200);
    const taken = await register(email);
    expect([taken.status, taken.body]).toEqual([409, { detail: 'Email already registered' }]);
    const login = await p.ask('POST /auth/login', { body: { email, password: 'correct horse' } });
    expect([login.status, Object.keys(login.body as object)]).toEqual([401, ['detail']]);
  });

  it('take an invitation; operators need none', async () => {
    const uninvited = await register('guest@example.com');
    expect([uninvited.status, uninvited.body]).toEqual([
      403,
      { detail: 'Sign up with the identity provider of this service, or ask for an invitation.' },
    ]);
    expect((await register(OPERATOR.email)).status).toBe(201);
    const operator = newcomer();
    const token = await cognito.idToken(operator);
    await p.ask('GET /auth/me', { key: token });
    const invite = async (email: string, key: string) => {
      const { data, errors } = await p.t.raw(
        `mutation Invite($email: String!) {
          operatorInviteUser(input: { email: $email, reason: "a guest", commandId: "invite-1" }) {
            __typename
            ... on OperatorInviteUserPayload { expiresAt replayed }
            ... on Refusal { code }
          }
        }`,
        { email },
        key,
      );
      return data?.['operatorInviteUser'] ?? errors?.[0]?.extensions['code'];
    };
    expect(await invite('guest@example.com', token)).toBe('OPERATOR_REQUIRED');
    const { data } = await p.t.raw('{ me { user { id } account { id } } }', {}, token);
    const me = data?.['me'] as { user: { id: string }; account: { id: string } };
    const raw = (id: string) => id.slice(id.indexOf('_') + 1);
    await p.t.makeOperator({ userId: raw(me.user.id), accountId: raw(me.account.id) });
    const invited = await invite('Guest@example.com', token);
    expect(invited).toMatchObject({ __typename: 'OperatorInviteUserPayload', replayed: false });
    expect(await invite('guest@example.com', token)).toEqual({ ...(invited as object), replayed: true });
    expect(await invite('nobody', token)).toMatchObject({ code: 'INVALID_INPUT' });
    expect((await register('guest@example.com')).status).toBe(201);
    expect((await register('guest@example.com')).status).toBe(409);
    const login = await p.ask('POST /auth/login', {
      body: { email: 'guest@example.com', password: 'correct horse' },
    });
    expect(login.status).toBe(200);
  });
});
