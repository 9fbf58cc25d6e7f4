// What the npm scripts share: install what is missing, build what is stale. No dependencies: it runs
// from a bare clone.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Tollgraph needs Node.js 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

/** Runs a program to its end; the exit code. */
export function run(command, args, { env = {}, inherit = process.env, quiet = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      env: { ...inherit, ...env },
      shell: process.platform === 'win32',
    });
    let output = '';
    child.stdout?.on('data', (text) => (output += text));
    child.stderr?.on('data', (text) => (output += text));
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on('exit', (code, signal) => {
      if (quiet && code !== 0) console.error(output);
      resolve(code ?? (signal ? 1 : 0));
    });
  });
}

/** Runs a program that must succeed, with a line that says what is going on. */
export async function step(label, command, args, options = {}) {
  const started = Date.now();
  const interactive = process.stderr.isTTY;
  const ticking =
    interactive &&
    setInterval(() => {
      process.stderr.write(`\r${label} … ${Math.round((Date.now() - started) / 1000)} s `);
    }, 500);
  if (!interactive) process.stderr.write(`${label} …\n`);
  const code = await run(command, args, { quiet: true, ...options });
  clearInterval(ticking);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stderr.write(
    `${interactive ? '\r' : ''}${label}: ${code === 0 ? 'done' : 'failed'} in ${seconds} s\n`,
  );
  if (code !== 0) process.exit(code);
}

/** Installs from the lockfile, if what npm says is installed is not what it names. */
export async function ensureInstalled({ development }) {
  const wanted = Object.entries(packagesOf('package-lock.json')).filter(([path]) => path !== '');
  const installed = packagesOf(join('node_modules', '.package-lock.json'));
  const missing = ([path, { version }]) => installed[path]?.version !== version;
  const needed = wanted.filter(([, entry]) => !entry.optional && (development || !entry.dev));
  if (!needed.some(missing)) return;
  // Whoever has the development packages keeps them.
  const withDev = development || Object.values(installed).some(({ dev }) => dev);
  const args = ['ci', '--no-audit', '--no-fund', ...(withDev ? ['--include=dev'] : ['--omit=dev'])];
  await step('Installing packages', 'npm', args);
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : {};
}

function newest(folders, extensions) {
  let time = 0;
  // Git keeps no empty folders: a bare clone may lack one.
  for (const folder of folders.filter((folder) => existsSync(folder))) {
    for (const file of readdirSync(folder, { recursive: true })) {
      if (!file.includes('node_modules') && extensions.some((extension) => file.endsWith(extension))) {
        time = Math.max(time, statSync(join(folder, file)).mtimeMs);
      }
    }
  }
  return time;
}

/** What was compiled from a file that has been moved or removed would still be found, by jest for example. */
function removeOrphans(folders) {
  for (const folder of folders.filter((folder) => existsSync(join('dist', folder)))) {
    for (const file of readdirSync(join('dist', folder), { recursive: true })) {
      const source = join(folder, file.replace(/\.(js|js\.map|d\.ts)$/, '.ts'));
      if (/\.(js|js\.map|d\.ts)$/.test(file) && !existsSync(source)) rmSync(join('dist', folder, file));
    }
  }
}

/** Compiles what has changed since the last build. */
export async function ensureBuilt({ tests = false } = {}) {
  const folders = ['src', 'projections', ...(tests ? ['test', 'bench'] : [])];
  const stamp = join('dist', tests ? '.built-tests' : '.built');
  const sources = Math.max(
    newest(folders, ['.ts', '.sql', '.lua', '.json']),
    statSync('tsconfig.json').mtimeMs,
    statSync('package-lock.json').mtimeMs,
  );
  if (existsSync(stamp) && statSync(stamp).mtimeMs > sources) return;
  const project = tests ? 'tsconfig.test.json' : 'tsconfig.json';
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  await step('Compiling', process.execPath, [tsc, '--build', project]);
  removeOrphans(folders);
  for (const folder of ['src', 'projections']) {
    for (const file of readdirSync(folder, { recursive: true })) {
      if (!/\.(sql|lua|json)$/.test(file)) continue;
      const target = join('dist', folder, file);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(folder, file), target);
    }
  }
  writeFileSync(stamp, '');
}
