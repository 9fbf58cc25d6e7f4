/**
 * Something that this process depends on is away, does not answer or is too busy. The caller is told to try again;
 * whether a write happened may be unknown.
 */
export class Outage extends Error {}
