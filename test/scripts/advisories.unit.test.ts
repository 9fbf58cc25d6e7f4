import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Verdict {
  readonly code: number;
  readonly said: string;
}

const check = (...args: string[]): Promise<Verdict> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['scripts/advisories.mjs', ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr });
    });
  });

const ADVISORY = {
  id: 'GHSA-test',
  aliases: ['CVE-test'],
  package: '@scope/lib',
  affected: '>=1.2.0 <1.4.1 || >=2.0.0 <2.0.3',
  fixed: '1.4.1 or 2.0.3',
  title: 'It does what it should not',
};

describe('advisories', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'advisories-'))));
  afterAll(() => rm(folder, { recursive: true }));

  async function held(packages: object, advisories: object[] = [ADVISORY]): Promise<Verdict> {
    const [lock, list] = [join(folder, 'lock.json'), join(folder, 'list.json')];
    await writeFile(
      lock,
      JSON.stringify({ packages: { '': { name: 'product', version: '1.2.0' }, ...packages } }),
    );
    await writeFile(list, JSON.stringify({ checked: '2026-11-29', advisories }));
    return check(lock, list);
  }

  it('concern nothing that is installed here', async () => {
    expect(await check()).toEqual({
      code: 0,
      said: expect.stringMatching(/^None of \d+ advisories, looked up on \d{4}-\d\d-\d\d, /) as string,
    });
  });

  it.each(['1.2.0', '1.4.0', '1.4.1-rc.1', '2.0.2'])(
    'name the place of an affected version: %s',
    async (version) => {
      const { code, said } = await held({
        'node_modules/other/node_modules/@scope/lib': { version },
        'node_modules/lib': { version },
      });
      expect(code).toBe(1);
      expect(said).toBe(
        `node_modules/other/node_modules/@scope/lib ${version}: It does what it should not (GHSA-test, CVE-test). Fixed in 1.4.1 or 2.0.3.\n`,
      );
    },
  );

  it.each(['1.1.9', '1.4.1', '2.0.3', '3.0.0'])('let pass what is not affected: %s', async (version) => {
    expect(await held({ 'node_modules/@scope/lib': { version } })).toMatchObject({ code: 0 });
  });

  it('find a package that is installed under another name', async () => {
    const aliased = { 'node_modules/lib-one': { name: '@scope/lib', version: '1.3.0' } };
    expect(await held(aliased)).toMatchObject({ code: 1 });
  });

  it.each<[string, object]>([
    ['a range that is none', { ...ADVISORY, affected: 'before 1.4' }],
    ['no range', { ...ADVISORY, affected: undefined }],
    ['no package', { ...ADVISORY, package: undefined }],
    ['no version that mends it', { ...ADVISORY, fixed: '' }],
  ])('are refused with %s: a list that is misread would say that all is well', async (_name, entry) => {
    expect(await held({}, [entry])).toMatchObject({
      code: 1,
      said: expect.stringContaining('list.json') as string,
    });
  });
});
