import { AnalysisRefused } from '../../src/analysis/refused.js';
import { TooLarge, isZip, unzip } from '../../src/analysis/unzip.js';
import { zipOf } from './zip.js';

const LIMIT = 10_000;

describe('zips', () => {
  test.each([
    ['of iOS', { '_chat.txt': 'chat', '1-PHOTO.jpg': 'x', 'notes.txt': 'no' }],
    ['of Android', { 'WhatsApp Chat with Kim.txt': 'chat', 'IMG.jpg': 'x' }],
    ['of Telegram', { 'ChatExport/result.json': 'chat', 'ChatExport/css/style.css': 'x' }],
    ['with one text', { 'a/b/log.LOG': 'chat', '__MACOSX/a/._log.log': 'x', '.hidden.txt': 'x' }],
    ['with a path that leads out, which is not used', { '../../etc/chat.txt': 'chat' }],
  ])('%s', async (_name, files) => {
    const zip = zipOf(files);
    expect(isZip(zip)).toBe(true);
    expect((await unzip(zip, LIMIT)).toString()).toBe('chat');
  });

  test.each([
    ['nothing to read', zipOf({ 'a.jpg': 'x', 'inner.zip': zipOf({ 'chat.txt': 'chat' }) }), 'holds no chat'],
    ['two chats', zipOf({ 'a.txt': 'x', 'b.txt': 'x' }), 'holds 2 chats'],
    ['no end', zipOf({ 'secret.txt': 'chat' }).subarray(0, 40), 'cannot be read'],
    ['nothing at all', Buffer.from('PK\x05\x06', 'latin1'), 'cannot be read'],
    ['a lie about its size', zipOf({ 'secret.txt': 'chat' }, 3), 'cannot be read'],
  ])('with %s is refused, without a name of it', async (_name, zip, reason) => {
    const refused = await unzip(zip, LIMIT).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AnalysisRefused);
    expect((refused as Error).message).toContain(reason);
    expect((refused as Error).message).not.toContain('secret');
  });

  test.each([
    ['says so', undefined],
    ['claims to be small', 100],
  ])('a bomb that %s is stopped while it is unpacked', async (_name, claim) => {
    const bomb = zipOf({ '_chat.txt': Buffer.alloc(2_000_000, 'no ') }, claim);
    expect(bomb.length).toBeLessThan(100_000);
    const stopped = await unzip(bomb, LIMIT).catch((error: unknown) => error);
    if (claim === undefined) expect(stopped).toBeInstanceOf(TooLarge);
    else expect(stopped).toBeInstanceOf(Error);
  });
});
