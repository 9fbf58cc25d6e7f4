// The life of a key, from a fresh account on: issued, used, rotated, revoked. Start the service with
// `npm start`, then: node docs/examples/keys.mjs [http://127.0.0.1:4000]
const address = process.argv[2] ?? 'http://127.0.0.1:4000';

/** Asks the service; `credential` is a session token or a key. */
async function ask(query, input, credential) {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential && { authorization: `Bearer ${credential}` }),
    },
    body: JSON.stringify({ query, variables: input && { input } }),
  }).catch(() => {
    console.error(`Nothing answers at ${address}: start the service with "npm start".`);
    process.exit(1);
  });
  return { status: response.status, ...(await response.json()) };
}

/** What a mutation answers, which is a payload or says why not. */
async function change(field, inputType, fields, input, credential) {
  const query = `mutation ($input: ${inputType}!) { ${field}(input: $input) { __typename ...on Refusal { code message } ${fields} } }`;
  const { data, errors } = await ask(query, input, credential);
  const answer = data?.[field];
  if (!answer || answer.code) throw new Error(`${field}: ${JSON.stringify(answer ?? errors)}`);
  return answer;
}

/** Uses a key: `ok`, or the code of the refusal. */
async function use(key) {
  const { errors } = await ask('{ patterns(first: 1) { totalCount } }', undefined, key);
  return errors ? errors[0].extensions.code : 'ok';
}

const email = `developer-${Date.now()}@example.com`;
const {
  session: { sessionToken },
} = await change(
  'registerUser',
  'RegisterUserInput',
  '... on RegisterUserPayload { session { sessionToken } }',
  { email, password: 'correct horse battery staple' },
);
console.log('registered', email);

// Only for reading, at most 5 requests a minute beside what the plan says.
const first = await change(
  'issueKey',
  'IssueKeyInput',
  '... on IssueKeyPayload { secret key { id prefix last4 } }',
  { name: 'example', scopes: ['READ'], limits: [{ meter: 'requests', window: 'MINUTE', max: 5 }] },
  sessionToken,
);
const { id, prefix, last4 } = first.key;
console.log(`issued ${prefix}…${last4}:`, await use(first.secret));

// The secret is exchanged without a gap: for a minute both work, then the new one alone.
const second = await change(
  'rotateKey',
  'RotateKeyInput',
  '... on RotateKeyPayload { secret key { graceEndsAt } }',
  { keyId: id, graceSeconds: 60 },
  sessionToken,
);
console.log('rotated, the new secret:', await use(second.secret));
console.log(`the old one until ${second.key.graceEndsAt}:`, await use(first.secret));

// It leaked: neither works from the moment of the answer.
await change(
  'revokeKey',
  'RevokeKeyInput',
  '... on RevokeKeyPayload { key { revokedAt } }',
  { keyId: id },
  sessionToken,
);
console.log('revoked:', await use(second.secret), await use(first.secret));
