import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D); the context is authenticated with it. */
export function encryptBytes(key: Buffer, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const body = [cipher.update(plain), cipher.final()];
  return Buffer.concat([nonce, cipher.getAuthTag(), ...body]);
}

/** @throws Error when the bytes were encrypted under another key or context, or were changed since */
export function decryptBytes(key: Buffer, bytes: Buffer, context: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
}

/** The same as text. */
export const encrypt = (key: Buffer, plain: Buffer, context: string): string =>
  encryptBytes(key, plain, context).toString('base64url');

/** @throws Error when the text was encrypted under another key or context, or was changed since */
export const decrypt = (key: Buffer, text: string, context: string): Buffer =>
  decryptBytes(key, Buffer.from(text, 'base64url'), context);
