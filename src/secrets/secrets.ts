import { createHash, createHmac, hash, randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretName } from '../config.js';
import { ConfigError, SECRET_NAMES } from '../config.js';

/** The server's own secrets, 32 bytes each. They live outside the database. */
export type Secrets = Readonly<Record<SecretName, Buffer>>;

/**
 * Takes secrets from the environment, then from `DATA_DIR/secrets.json`; what is still missing is
 * made there. In production nothing is made: a pepper that appears by itself would be lost by itself.
 * @throws ConfigError
 */
export async function loadSecrets(
  given: Readonly<Partial<Record<SecretName, string>>>,
  dataDir: string,
  production: boolean,
): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json');
  const kept = await readKept(file);
  const texts: Partial<Record<SecretName, string>> = {};
  const made: SecretName[] = [];
  for (const name of SECRET_NAMES) {
    texts[name] = given[name] ?? kept[name];
    if (texts[name] === undefined) made.push(name);
  }
  if (production && made.length > 0) {
    throw new ConfigError(made.map((name) => `${name}: must be set in production`));
  }
  if (made.length > 0) {
    for (const name of made) texts[name] = randomBytes(32).toString('base64url');
    const content = { ...kept, ...Object.fromEntries(made.map((name) => [name, texts[name]])) };
    await writeFile(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  return Object.fromEntries(
    SECRET_NAMES.map((name) => [name, Buffer.from(texts[name] as string, 'base64url')]),
  ) as Secrets;
}

async function readKept(file: string): Promise<Partial<Record<SecretName, string>>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Partial<Record<SecretName, string>>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError([`${file}: ${(error as Error).message}`]);
  }
}

/** Names a secret without giving it away; one-way, and the secret has 256 bits. */
export function fingerprint(name: string, secret: Buffer): string {
  return createHash('sha256').update(`tollgraph ${name} `).update(secret).digest('hex').slice(0, 16);
}

/** Of SHA-256, in bytes. */
const BLOCK = 64;
const DIGEST = 32;
const MAX_HASHED = 256;

/**
 * The same as keyedHash for one secret and purpose, at a third of its time: an Hmac object of Node.js is made,
 * fed and collected for each call, and a key is looked up in every one. RFC 2104: H(K ⊕ opad, H(K ⊕ ipad, text)).
 */
export function keyedHasher(secret: Buffer, purpose: string): (text: string) => string {
  const key = Buffer.alloc(BLOCK);
  (secret.length > BLOCK ? createHash('sha256').update(secret).digest() : secret).copy(key);
  const inner = Buffer.alloc(BLOCK + MAX_HASHED);
  const outer = Buffer.alloc(BLOCK + DIGEST);
  key.forEach((byte, i) => {
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  });
  const begin = BLOCK + inner.write(`${purpose}\0`, BLOCK);
  return (text) => {
    // Three bytes at most for each UTF-16 unit.
    if (begin + text.length * 3 > inner.length) return keyedHash(secret, purpose, text);
    const end = begin + inner.write(text, begin);
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK, 'latin1');
    return hash('sha256', outer, 'base64url');
  };
}

/** HMAC-SHA-256 (RFC 2104) in base64url, with the purpose in front so that hashes don't mix. */
export function keyedHash(secret: Buffer, purpose: string, text: string): string {
  return createHmac('sha256', secret).update(purpose).update('\0').update(text).digest('base64url');
}
