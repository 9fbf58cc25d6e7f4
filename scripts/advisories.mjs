// `npm run advisories`: holds package-lock.json against docs/advisories.json, the known advisories that
// somebody has looked up. It asks no server, so that it says the same everywhere, also offline.
// Arguments: another lock, another list.
import { readFileSync } from 'node:fs';
import semver from 'semver';

const [lockFile = 'package-lock.json', listFile = 'docs/advisories.json'] = process.argv.slice(2);

const lines = [];
const { checked, advisories } = JSON.parse(readFileSync(listFile, 'utf8'));
for (const { id, package: name, affected, fixed, title } of advisories) {
  if (![id, name, fixed, title].every((text) => typeof text === 'string' && text !== '')) {
    lines.push(
      `${listFile}: ${id ?? name ?? 'an entry'} needs "id", "package", "affected", "fixed" and "title"`,
    );
  } else if (typeof affected !== 'string' || semver.validRange(affected) === null) {
    lines.push(`${listFile}: ${id}: "affected" is no range of versions`);
  }
}

if (lines.length === 0) {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8'));
  for (const [path, { version, name: alias }] of Object.entries(packages)) {
    // The last part of node_modules/a/node_modules/@b/c; an alias is installed under another name.
    const name = alias ?? path.split('node_modules/').at(-1);
    for (const { id, aliases = [], package: concerned, affected, fixed, title } of advisories) {
      if (name !== concerned || !semver.satisfies(version, affected, { includePrerelease: true })) continue;
      lines.push(`${path} ${version}: ${title} (${[id, ...aliases].join(', ')}). Fixed in ${fixed}.`);
    }
  }
}

if (lines.length > 0) {
  console.error(lines.join('\n'));
  process.exit(1);
}
console.log(`None of ${advisories.length} advisories, looked up on ${checked}, concerns ${lockFile}.`);
