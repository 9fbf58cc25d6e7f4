/**
 * Something that this process depends on is away, does not answer or is too busy. The caller is told to try again;
 * whether a write happened may be unknown.
 */
export class Outage extends Error {}

/**
 * Something of this process is not as far yet as what is asked for. It comes by itself, and what keeps it from coming
 * tells so itself: whoever waits tries again and tells nobody.
 */
export class NotYet extends Outage {}
