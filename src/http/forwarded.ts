/** What one proxy says of a call, as far as we read it. */
export interface ForwardedElement {
  /** Whom the proxy was called by: an address, perhaps with a port, or a name that hides it. */
  readonly for?: string;
  /** What it was called with: `http` or `https`. */
  readonly proto?: string;
}

/** A parameter and what stands behind it. Of an address of IPv6 the quotes may be missing, as often seen. */
const PARAMETER = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;=]+))[ \t]*(?:;|(,)|$)/y;

/**
 * Parses the header `Forwarded` (RFC 7239), the nearest proxy's element last. What a caller has sent stands to
 * the left in the same header and could open a quotation that swallows what proxies append: nothing at all is
 * read from a header that is not well-formed as a whole.
 * @returns empty when it is not well-formed
 */
export function parseForwarded(text: string): readonly ForwardedElement[] {
  const elements: ForwardedElement[] = [];
  let element = new Map<string, string>();
  const pattern = new RegExp(PARAMETER);
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) return [];
    const [all, name = '', quoted, token, comma] = match;
    const key = name.toLowerCase();
    if (element.has(key)) return [];
    element.set(key, quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
    const over = pattern.lastIndex === text.length;
    // A separator with nothing behind it.
    if (over && /[;,]$/.test(all)) return [];
    if (comma === undefined && !over) continue;
    elements.push(Object.fromEntries(element));
    element = new Map();
  }
  return elements;
}
