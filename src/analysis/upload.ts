import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TooLarge } from './unzip.js';

/** What may stand in a form beside its file, in bytes. */
const BESIDE_FILE = 1024 * 1024;

/** Of a form as a whole, in bytes, however many files it has. */
export const largestForm = (maxBytes: number): number => maxBytes + BESIDE_FILE;

/** What came in a form. */
export interface Upload {
  readonly fields: ReadonlyMap<string, string>;
  /** Under the name `file`; undefined where there is none. */
  readonly file: UploadedFile | undefined;
  /** How many there were under that name. */
  readonly files: number;
}

export interface UploadedFile {
  readonly name: string;
  /** Undefined where it was too large, or not wanted by its name. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  readonly tooLarge: boolean;
}

/** Lets these routes read forms, with bounds on everything in them. */
export async function acceptForms(fastify: FastifyInstance): Promise<void> {
  await fastify.register(multipart, {
    throwFileSizeLimit: false,
    limits: {
      fields: 20,
      fieldNameSize: 100,
      fieldSize: 1024,
      files: 10,
      parts: 30,
      headerPairs: 50,
      fileSize: Infinity,
    },
  });
}

/**
 * Reads a form; its file is held in memory and never written anywhere.
 * @throws TooLarge as soon as more has come than the largest form has; nothing is read from then on
 */
export async function receive(
  request: FastifyRequest,
  wanted: (name: string) => boolean,
  maxBytes: number,
): Promise<Upload> {
  let size = 0;
  const tooLarge = new Promise<never>((_resolve, reject) => {
    // Everything counts: what stands before, between and behind the parts as well.
    request.raw.on('data', (chunk: Uint8Array) => {
      size += chunk.length;
      if (size <= largestForm(maxBytes)) return;
      request.raw.unpipe();
      reject(new TooLarge());
    });
  });
  return Promise.race([readForm(request, wanted, maxBytes), tooLarge]);
}

async function readForm(
  request: FastifyRequest,
  wanted: (name: string) => boolean,
  maxBytes: number,
): Promise<Upload> {
  const fields = new Map<string, string>();
  let file: UploadedFile | undefined;
  let files = 0;
  if (!request.isMultipart()) return { fields, file, files };
  for await (const part of request.parts()) {
    if (part.type === 'field') {
      if (typeof part.value === 'string' && part.fieldname !== 'file') fields.set(part.fieldname, part.value);
      continue;
    }
    const name = part.filename ?? '';
    const keep = part.fieldname === 'file' && files === 0 && wanted(name);
    const { bytes, tooLarge } = await read(part.file, keep, maxBytes);
    if (part.fieldname !== 'file') continue;
    if (files === 0) file = { name, bytes, tooLarge };
    files += 1;
  }
  return { fields, file, files };
}

async function read(
  stream: AsyncIterable<Uint8Array>,
  keep: boolean,
  maxBytes: number,
): Promise<{ bytes: Uint8Array<ArrayBuffer> | undefined; tooLarge: boolean }> {
  let bytes = new Uint8Array(keep ? Math.min(maxBytes, 64 * 1024) : 0);
  let size = 0;
  for await (const chunk of stream) {
    const end = size + chunk.length;
    if (keep && end <= maxBytes) {
      if (end > bytes.length) {
        const larger = new Uint8Array(Math.min(maxBytes, Math.max(end, bytes.length * 2)));
        larger.set(bytes.subarray(0, size));
        bytes = larger;
      }
      bytes.set(chunk, size);
    } else if (end > maxBytes) bytes = new Uint8Array(0);
    size = end;
  }
  const tooLarge = size > maxBytes;
  return { bytes: keep && !tooLarge ? bytes.subarray(0, size) : undefined, tooLarge };
}
