import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Signs tokens with the claims that user pools of AWS Cognito have, on loopback. */
export interface Cognito {
  readonly issuer: string;
  readonly clientId: string;
  /** Says who somebody is; for this client unless `aud` says otherwise. */
  idToken(claims: Readonly<Record<string, unknown>> & { readonly sub: string }): Promise<string>;
  /** Lets somebody call; without `aud` and without an e-mail, as Cognito's are. */
  accessToken(subject: string): Promise<string>;
  close(): Promise<void>;
}

export async function startCognito(): Promise<Cognito> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const kid = randomUUID();
  const keys = [{ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/eu-west-1_pool`;
  server.on('request', ({ url }, response) => {
    const found = url?.endsWith('/.well-known/openid-configuration')
      ? { issuer, jwks_uri: `${issuer}/.well-known/jwks.json` }
      : { keys };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(found));
  });
  const clientId = '1h57kf5cpq17m0eml12EXAMPLE';
  const sign = (claims: Readonly<Record<string, unknown>>): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey);
  return {
    issuer,
    clientId,
    idToken: (claims) =>
      sign({
        aud: clientId,
        token_use: 'id',
        'cognito:username': claims.sub,
        email_verified: true,
        ...claims,
      }),
    accessToken: (sub) =>
      sign({ sub, client_id: clientId, token_use: 'access', username: sub, scope: 'openid' }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
