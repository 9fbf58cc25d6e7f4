import type { Format, OnEntry } from '../entry.js';
import { UNANCHORED } from '../entry.js';
import { Lines } from '../lines.js';
import type { Stamp } from '../stamp.js';
import { Cursor, isMark, readStamp } from '../stamp.js';
import { readAnchor } from './text.js';

/** Characters in which a name must end. */
const MAX_NAME = 120;
/** No line that stands for something else than text is longer. */
const MAX_PLACEHOLDER = 300;
/** Lines that look like the beginning of a message before a file is taken for an export. */
const ENOUGH = 3;

/** What stands for a picture, a sticker, a document. */
const MEDIA = new Set([
  '<media omitted>',
  '<medien ausgeschlossen>',
  '<médias omis>',
  '<multimedia omitido>',
  '<media omesso>',
  '<mídia oculta>',
  'image omitted',
  'video omitted',
  'audio omitted',
  'sticker omitted',
  'document omitted',
  'gif omitted',
  'bild weggelassen',
  'video weggelassen',
  'audio weggelassen',
  'sticker weggelassen',
  'dokument weggelassen',
  'image absente',
  'vidéo absente',
  'audio omis',
  'imagen omitida',
  'video omitido',
  'audio omitido',
  'immagine omessa',
]);
const ATTACHED_SUFFIX = [
  '(file attached)',
  '(datei angehängt)',
  '(archivo adjunto)',
  '(fichier joint)',
  '(file allegato)',
];
const ATTACHED_PREFIX = ['<attached:', '<anhang:', '<adjunto:', '<pièce jointe', '<allegato:'];
const DELETED = new Set([
  'this message was deleted',
  'you deleted this message',
  'diese nachricht wurde gelöscht',
  'du hast diese nachricht gelöscht',
  'ce message a été supprimé',
  'vous avez supprimé ce message',
  'se eliminó este mensaje',
  'eliminaste este mensaje',
  'null',
]);
const EDITED = [
  '<this message was edited>',
  '<diese nachricht wurde bearbeitet.>',
  '<ce message a été modifié>',
  '<se editó este mensaje.>',
];

/** WhatsApp's exported chats, of Android and of iOS: a line with time and sender begins a message. */
export class WhatsAppFormat implements Format {
  readonly #lines = new Lines((line) => this.#line(line));
  #index = 0;
  #message: { readonly stamp: Stamp; readonly speaker: string; readonly lines: string[] } | undefined;

  constructor(private readonly onEntry: OnEntry) {}

  push(text: string): void {
    this.#lines.push(text);
  }

  end(): void {
    this.#lines.end();
    this.#ends();
  }

  #line(line: string): void {
    const header = readHeader(line);
    if (!header) {
      this.#message?.lines.push(line);
      return;
    }
    this.#ends();
    const { stamp, rest } = header;
    const { speaker, text } = readSender(rest) ?? { speaker: '', text: '' };
    this.#message = { stamp, speaker, lines: [said(text)] };
  }

  #ends(): void {
    if (!this.#message) return;
    const { stamp, speaker, lines } = this.#message;
    this.#message = undefined;
    const text = withoutEdited(lines.join('\n').trim());
    this.onEntry({ index: this.#index++, speaker, text, stamp, context: UNANCHORED });
  }
}

/** Whether lines are those of an export, and not of paragraphs that begin with a time. */
export function isWhatsApp(lines: readonly string[]): boolean {
  const blank = (at: number): boolean => (lines[at] ?? '').trim() === '';
  let headers = 0;
  for (const [at, line] of lines.entries()) {
    const apart = blank(at - 1);
    if ((at === 0 || !apart) && readHeader(line)) headers += 1;
    // An anchor between blank lines.
    else if (apart && blank(at + 1) && readAnchor(line.trim())) return false;
  }
  return headers >= ENOUGH;
}

/** `[14.08.24, 21:00:10] …` and `8/14/24, 9:00 PM - …` */
function readHeader(line: string): { stamp: Stamp; rest: string } | undefined {
  const cursor = new Cursor(line);
  const bracket = cursor.take('[');
  const stamp = readStamp(cursor, 'export');
  if (stamp?.minute === undefined) return undefined;
  cursor.spaces();
  if (!cursor.take(bracket ? ']' : '-\u2013')) return undefined;
  cursor.spaces();
  return { stamp, rest: line.slice(cursor.at) };
}

/** Undefined where nobody speaks: the chat's own lines have no name. */
function readSender(rest: string): { speaker: string; text: string } | undefined {
  const head = rest.slice(0, MAX_NAME);
  let colon = head.search(/:[\s\u200e]/);
  if (colon === -1) colon = head.indexOf(':');
  if (colon < 1) return undefined;
  const name = head.slice(0, colon);
  const text = rest.slice(colon + 1);
  // A link, a time of day, and what the chat itself says of a name in quotes.
  if (text.startsWith('//') || (/\d$/.test(name) && /^\d/.test(text)) || /["“”«]/.test(name))
    return undefined;
  const speaker = withoutMarks(name).trim().replace(/^~/, '').trim();
  return speaker === '' ? undefined : { speaker, text };
}

/** What somebody wrote in the first line of a message; nothing where it stands for something else. */
function said(line: string): string {
  const text = line.trim();
  // The phone's own words are marked.
  if (text.startsWith('\u200e')) return '';
  if (text.length > MAX_PLACEHOLDER) return text;
  const plain = withoutMarks(text).trim().toLowerCase();
  const placeholder =
    MEDIA.has(plain) ||
    DELETED.has(plain.replace(/\.$/, '')) ||
    ATTACHED_SUFFIX.some((end) => plain.endsWith(end)) ||
    (plain.endsWith('>') && ATTACHED_PREFIX.some((begin) => plain.startsWith(begin)));
  return placeholder ? '' : text;
}

function withoutEdited(text: string): string {
  const end = text.slice(-60).toLowerCase();
  const suffix = EDITED.find((edited) => end.endsWith(edited));
  if (suffix === undefined) return text;
  const before = text.slice(0, -suffix.length).trimEnd();
  return before.endsWith('\u200e') ? before.slice(0, -1).trimEnd() : before;
}

function withoutMarks(text: string): string {
  return [...text].filter((character) => !isMark(character.charCodeAt(0))).join('');
}
