/** Seconds as text, up to the point. */
const seconds = new Map<number, string>();
const MAX_SECONDS = 1_000;

/**
 * A time as `toISOString` of Date gives it. That takes most of a microsecond, and an answer tells several
 * times; nearly all of them share their second with one that was told before.
 * @param at milliseconds since the epoch
 */
export function isoTime(at: number): string {
  const second = Math.floor(at / 1000);
  let text = seconds.get(second);
  if (text === undefined) {
    text = new Date(second * 1000).toISOString().slice(0, -4);
    if (seconds.size >= MAX_SECONDS) seconds.clear();
    seconds.set(second, text);
  }
  const rest = at - second * 1000;
  return `${text}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${Math.floor(rest)}Z`;
}
