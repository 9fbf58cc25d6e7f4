import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, SECRET_NAMES } from '../../src/config.js';
import { fingerprint, keyedHash, keyedHasher, loadSecrets } from '../../src/secrets/secrets.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tollgraph-secrets-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const given = (): string => randomBytes(32).toString('base64url');

describe('the server’s secrets', () => {
  it('are made on the first start, and kept', async () => {
    const made = await loadSecrets({}, directory, false);
    expect(Object.keys(made)).toEqual([...SECRET_NAMES]);
    expect(Object.values(made).map((secret) => secret.length)).toEqual([32, 32, 32, 32]);
    expect(new Set(Object.values(made).map((secret) => secret.toString('hex'))).size).toBe(4);
    expect(await loadSecrets({}, directory, false)).toEqual(made);
  });

  it('are kept in one file that only its owner may read', async () => {
    await loadSecrets({}, directory, false);
    expect(await readdir(directory)).toEqual(['secrets.json']);
    expect((await stat(join(directory, 'secrets.json'))).mode & 0o777).toBe(0o600);
  });

  it('are taken from the environment where they are given, and then not written down', async () => {
    const made = await loadSecrets({}, directory, false);
    const before = await readFile(join(directory, 'secrets.json'), 'utf8');
    const KEY_PEPPER = given();
    const loaded = await loadSecrets({ KEY_PEPPER }, directory, false);
    expect(loaded).toEqual({ ...made, KEY_PEPPER: Buffer.from(KEY_PEPPER, 'base64url') });
    expect(await readFile(join(directory, 'secrets.json'), 'utf8')).toBe(before);
  });

  it('are made only where they are missing', async () => {
    const KEY_PEPPER = given();
    await loadSecrets({ KEY_PEPPER }, directory, false);
    const text = await readFile(join(directory, 'secrets.json'), 'utf8');
    expect(Object.keys(JSON.parse(text) as object)).toEqual(SECRET_NAMES.filter((n) => n !== 'KEY_PEPPER'));
    expect(text).not.toContain(KEY_PEPPER);
  });

  it('are refused in production where they are missing, all at once and by their names only', async () => {
    const SESSION_KEY = given();
    const refused = await loadSecrets({ SESSION_KEY }, directory, true).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    expect((refused as ConfigError).problems).toEqual([
      'KEY_PEPPER: must be set in production',
      'EMAIL_HASH_KEY: must be set in production',
      'MASTER_KEY: must be set in production',
    ]);
    expect(String(refused)).not.toContain(SESSION_KEY);
    expect(await readdir(directory)).toEqual([]);
  });

  it('are taken in production when all are given, and nothing is written', async () => {
    const all = Object.fromEntries(SECRET_NAMES.map((name) => [name, given()]));
    const loaded = await loadSecrets(all, directory, true);
    expect(loaded.MASTER_KEY).toEqual(Buffer.from(all['MASTER_KEY'] ?? '', 'base64url'));
    expect(await readdir(directory)).toEqual([]);
  });

  it('are never made anew over a file that cannot be read', async () => {
    const file = join(directory, 'secrets.json');
    await writeFile(file, '{"KEY_PEPPER": "half');
    const refused = await loadSecrets({}, directory, false).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    expect(String(refused)).toContain(file);
    expect(await readFile(file, 'utf8')).toBe('{"KEY_PEPPER": "half');
  });
});

describe('what is shown of a secret', () => {
  const secret = Buffer.alloc(32, 3);

  it('is a fingerprint that names it and does not hold it', () => {
    const shown = fingerprint('KEY_PEPPER', secret);
    expect(shown).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprint('KEY_PEPPER', Buffer.from(secret))).toBe(shown);
    expect(fingerprint('KEY_PEPPER', Buffer.alloc(32, 4))).not.toBe(shown);
    expect(fingerprint('MASTER_KEY', secret)).not.toBe(shown);
  });
});

describe('a keyed hash', () => {
  it('depends on secret, purpose and text, and where one ends and the other begins', () => {
    const secret = Buffer.alloc(32, 3);
    const hashes = [
      keyedHash(secret, 'email', 'a'),
      keyedHash(Buffer.alloc(32, 4), 'email', 'a'),
      keyedHash(secret, 'key', 'a'),
      keyedHash(secret, 'email', 'b'),
      keyedHash(secret, 'emaila', ''),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('is the same for whoever hashes many, with any secret and any text', () => {
    const secrets = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    const texts = fc.array(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 60, maxLength: 300 })),
    );
    fc.assert(
      fc.property(secrets, fc.string(), texts, (secret, purpose, all) => {
        const hashOf = keyedHasher(secret, purpose.slice(0, 20));
        for (const text of all) expect(hashOf(text)).toBe(keyedHash(secret, purpose.slice(0, 20), text));
      }),
    );
  });

  it('is permanent: stored e-mails and keys are found by it', () => {
    expect(keyedHash(Buffer.alloc(32, 3), 'email', 'ada@example.com')).toBe(
      'Eb426aO1elY7BfQrWXQgHMU5eo7FGLZOCr1dQDxq1tY',
    );
  });
});
