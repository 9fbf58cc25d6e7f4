import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';

interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** The packages that code imports, types alone included. */
async function importedBy(folder: string): Promise<ReadonlySet<string>> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const names = texts.flatMap((text) =>
    [
      ...text.matchAll(
        /^(?:import|export) [^;]*?from '([^'.][^']*)'|import\('([^'.][^']*)'\)|^import '([^'.][^']*)'/gm,
      ),
    ].map(([, a, b, c]) => (a ?? b ?? c) as string),
  );
  const packages = names.map((name) =>
    name
      .split('/')
      .slice(0, name.startsWith('@') ? 2 : 1)
      .join('/'),
  );
  return new Set(packages.filter((name) => !name.startsWith('node:') && !builtinModules.includes(name)));
}

it('has what it takes to build and start it without development packages, as `npm start` does', async () => {
  const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8')) as Manifest;
  const imported = [...(await importedBy('src')), ...(await importedBy('projections'))];
  expect(imported).toContain('pdfkit');
  const typesOf = (name: string): string => `@types/${name.replace(/^@(.*)\//, '$1__')}`;
  expect(imported.map(typesOf).filter((name) => name in devDependencies)).toEqual([]);
});
