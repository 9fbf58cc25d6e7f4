import { hash } from 'node:crypto';
import { parse, v5 as uuidV5 } from 'uuid';

/** Namespace of every id that Tollgraph derives (RFC 9562, section 6.5). Permanent. */
const NAMESPACE = parse('0b9a3e0e-6d5f-5a0c-9c1b-5f3a4c1d7e21');

/** A UUID v5 of the parts: the same parts always give the same id. */
export function derivedId(...parts: readonly (string | number)[]): string {
  return uuidV5(JSON.stringify(parts), NAMESPACE);
}

/** SHA-256 in lower-case hex. For content addressing, never for secrets. */
export function contentHash(text: string): string {
  return hash('sha256', text, 'hex');
}
