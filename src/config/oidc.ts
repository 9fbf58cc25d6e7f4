import { z } from 'zod';

/** Plain http only where nobody else can listen. */
const issuerUrl = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash } = new URL(text);
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  return (protocol === 'https:' || (protocol === 'http:' && loopback)) && search === '' && hash === '';
}, 'must be an https URL without query and fragment (http on loopback alone)');
const claim = z.string().min(1);

const OidcIssuer = z.strictObject({
  /** As `iss` says it, letter for letter. */
  issuer: issuerUrl,
  /** One of these must be in the token. */
  audience: z.union([claim.transform((one) => [one]), z.array(claim).min(1)]),
  /** HS256 for tokens that are signed with OIDC_SHARED_SECRET; otherwise the issuer's published keys hold. */
  algorithm: z.literal('HS256').optional(),
  /** What the issuer calls things. */
  claims: z
    .strictObject({
      /** The first of these that a token has says for whom it is. */
      audience: z.array(claim).min(1).default(['aud']),
      email: claim.default('email'),
      emailVerified: claim.default('email_verified'),
      name: claim.default('name'),
    })
    .prefault({}),
  /** Claims that a token must have, each with one of the values. */
  require: z.record(claim, z.array(claim).min(1)).default({}),
});
/** An OpenID Connect issuer whose tokens are sessions. */
export type OidcIssuer = z.infer<typeof OidcIssuer>;

/** A list of them as JSON. */
export const oidcIssuers = z
  .string()
  .default('[]')
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON: a list of issuers' });
      return z.NEVER;
    }
  })
  .pipe(z.array(OidcIssuer))
  .refine(
    (issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length,
    'names an issuer twice',
  );
