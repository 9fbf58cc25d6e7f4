import type { Entry, ZipFile } from 'yauzl';
import { fromBuffer } from 'yauzl';
import { AnalysisRefused } from './refused.js';

/** A chat with all its pictures has thousands. */
const MAX_ENTRIES = 20_000;

/** Whether bytes begin as a zip does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/**
 * The chat in a zip, as WhatsApp and Telegram make them: its one text, or the one that has the name of a chat.
 * What sizes it claims is not believed; paths are not used; a zip within it is not opened.
 * @param limit in bytes, of what is unpacked
 * @throws AnalysisRefused with the reason; TooLarge beyond the limit
 */
export async function unzip(bytes: Uint8Array, limit: number): Promise<Buffer> {
  try {
    const zip = await open(bytes);
    return await unpacked(zip, chosen(await entriesOf(zip)), limit);
  } catch (error) {
    if (error instanceof AnalysisRefused || error instanceof TooLarge) throw error;
    // What yauzl says may quote names of the archive.
    throw new AnalysisRefused('This zip cannot be read. Unpack it and upload the chat in it.');
  }
}

/** What a file holds is larger than may be analysed. */
export class TooLarge extends Error {}

function open(bytes: Uint8Array): Promise<ZipFile> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Promise((resolve, reject) => {
    fromBuffer(buffer, { lazyEntries: true, decodeStrings: false }, (error, zip) =>
      error ? reject(error) : resolve(zip),
    );
  });
}

function entriesOf(zip: ZipFile): Promise<Entry[]> {
  if (zip.entryCount > MAX_ENTRIES) {
    throw new AnalysisRefused(`This zip has more than ${MAX_ENTRIES} files. Upload the chat alone.`);
  }
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    zip.on('entry', (entry: Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.on('error', reject);
    zip.on('end', () => resolve(entries));
    zip.readEntry();
  });
}

const CHAT = /(^|\/)(_chat\.txt|result\.json|whatsapp[^/]*\.txt)$/i;
const READABLE = /(^|\/)(?![.~])[^/]+\.(txt|log|csv|json)$/i;

function chosen(entries: readonly Entry[]): Entry {
  const named = (pattern: RegExp): Entry[] =>
    entries.filter(({ fileName }) => {
      const name = String(fileName);
      return pattern.test(name) && !name.startsWith('__MACOSX/');
    });
  const chats = named(CHAT);
  const candidates = chats.length > 0 ? chats : named(READABLE);
  const [one, ...others] = candidates;
  if (!one) throw new AnalysisRefused('This zip holds no chat: no .txt, .log, .csv or .json file.');
  if (others.length > 0) {
    throw new AnalysisRefused(
      `This zip holds ${candidates.length} chats. Unpack it and upload one at a time.`,
    );
  }
  if (one.isEncrypted())
    throw new AnalysisRefused('This zip has a password. Unpack it and upload the chat in it.');
  return one;
}

function unpacked(zip: ZipFile, entry: Entry, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(error);
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > limit) stream.destroy(new TooLarge());
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(Buffer.concat(chunks)));
    });
  });
}
