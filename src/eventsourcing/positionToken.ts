import type { Position } from './event.js';

/** Writes and reads positions for the world outside: opaque, and bound to this event store. */
export class PositionTokens {
  constructor(private readonly storeId: string) {}

  encode(position: Position): string {
    return Buffer.from(`${this.storeId.slice(0, 8)}.${position.toString(36)}`).toString('base64url');
  }

  /** @returns undefined for a token of another store, or no token at all; a made-up one only waits in vain */
  decode(token: string): Position | undefined {
    const [store, text] = Buffer.from(token, 'base64url').toString('latin1').split('.');
    if (store !== this.storeId.slice(0, 8) || !text || !/^[0-9a-z]{1,11}$/.test(text)) return undefined;
    const position = Number.parseInt(text, 36);
    return Number.isSafeInteger(position) ? position : undefined;
  }
}
