import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify';
import { createGunzip } from 'node:zlib';
import { statusOf } from '../graphql/kit/errors.js';
import { readsBody } from './bodies.js';
import { errorBody } from './errorBody.js';

/**
 * Reads bodies with `Content-Encoding: gzip`; what they come to is bounded like any body, as it is read.
 * Other encodings are refused with 415, which says what is taken (RFC 9110, section 15.5.16).
 *
 * A body that no parser reads stays as it came: unpacked, it would stand still or grow without bound.
 */
export function readGzip(fastify: FastifyInstance): void {
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
    if (encoding === 'identity' || encoding === '') return done(null, payload);
    if (encoding !== 'gzip' && encoding !== 'x-gzip') {
      void reply
        .status(statusOf('ENCODING_UNSUPPORTED'))
        .header('accept-encoding', 'gzip')
        .send(errorBody('ENCODING_UNSUPPORTED'));
      return;
    }
    if (!isParsed(request)) return done(null, payload);
    const gunzip = Object.assign(createGunzip(), { receivedEncodedLength: 0 });
    // Fastify listens only while it reads, and an error that nobody hears ends the process.
    gunzip.on('error', () => {});
    reply.raw.once('close', () => gunzip.destroy());
    payload.on('data', (chunk: Buffer) => (gunzip.receivedEncodedLength += chunk.length));
    payload.on('error', (error) => gunzip.destroy(error));
    payload.pipe(gunzip);
    done(null, gunzip as RequestPayload);
  });
}

/** Whether a parser of the route reads the body. */
const isParsed = ({ method, mediaType, server }: FastifyRequest): boolean =>
  readsBody(method) && mediaType !== undefined && server.hasContentTypeParser(mediaType);
