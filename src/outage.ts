/**
 * Something that this process depends on is away or does not answer. The caller is told to try again;
 * whether a write happened may be unknown.
 */
export class Outage extends Error {}
