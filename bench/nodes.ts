// Processes of the product for a benchmark, and the calls that it makes by itself.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';

const REGISTER = `mutation ($input: RegisterUserInput!) { registerUser(input: $input) {
  ... on RegisterUserPayload { session { sessionToken } } } }`;
const ISSUE = `mutation { issueKey(input: { name: "bench" }) { ... on IssueKeyPayload { secret key { id } } } }`;

export interface Node {
  readonly process: ChildProcess;
  readonly url: string;
}

export async function startNode(root: string, env: NodeJS.ProcessEnv): Promise<Node> {
  const { REDIS_URL: _1, EVENTSTORE_URL: _2, EVENTSTOREDB_URL: _3, ...inherited } = process.env;
  const child = fork(new URL('./node.js', import.meta.url), [root], { env: { ...inherited, ...env } });
  const exited = once(child, 'exit').then(() => {
    throw new Error(`the ${env['ROLE']} has ended`);
  });
  const [{ url }] = (await Promise.race([once(child, 'message'), exited])) as [{ url: string }];
  exited.catch(() => undefined);
  return { process: child, url };
}

export async function stopNode({ process: child }: Node): Promise<void> {
  const exited = once(child, 'exit');
  child.send('stop');
  await exited;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export async function post(
  url: string,
  body: string,
  { token, address }: { readonly token?: string; readonly address?: string },
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(address !== undefined && { 'x-forwarded-for': address }),
    },
    body,
  });
  return { status: response.status, text: await response.text() };
}

export interface Key {
  readonly id: string;
  readonly secret: string;
  /** Of the session that may revoke it. */
  readonly token: string;
}

/** Registers an account, from an address of its own, and issues keys to it. */
export async function issueKeys(url: string, account: number, count: number): Promise<Key[]> {
  const input = { email: `bench${account}@example.com`, password: 'correct horse battery staple' };
  const registered = await post(url, JSON.stringify({ query: REGISTER, variables: { input } }), {
    address: `10.0.${account >> 8}.${account & 255}`,
  });
  const token = field(registered.text, 'sessionToken');
  const keys: Key[] = [];
  for (let i = 0; i < count; i++) {
    const { text } = await post(url, JSON.stringify({ query: ISSUE }), { token });
    keys.push({ id: field(text, 'id'), secret: field(text, 'secret'), token });
  }
  return keys;
}

function field(text: string, name: string): string {
  const value = new RegExp(`"${name}":"([^"]+)"`).exec(text)?.[1];
  if (value === undefined) throw new Error(`no ${name} in ${text}`);
  return value;
}
