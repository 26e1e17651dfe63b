// Proves the package as users get it: packs it, checks its exports, installs the tarball into an
// empty folder, type-checks the README's examples there, runs them, and the troupe command.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeExamples } from './readme-example.mjs';
import { root } from './stamp.mjs';
import { mustStep } from './step.mjs';

const EXAMPLE_TIMEOUT_MS = 60_000;

const scratch = mkdtempSync(join(tmpdir(), 'troupe-package-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const consumer = join(scratch, 'consumer');
mkdirSync(consumer);

const tarball = pack();
lintExports();
install();
const examples = extractExamples();
typeCheck();
for (const name of examples) runExample(join(consumer, name), name);
runCommand();

function pack() {
  // It is built already, so npm need not do it again.
  const args = ['pack', '--ignore-scripts', '--pack-destination', scratch];
  mustStep('package: npm pack', 'npm', args);
  const file = readdirSync(scratch).find((name) => name.endsWith('.tgz'));
  return join(scratch, file);
}

function lintExports() {
  run('package: publint', ['publint/src/cli.js', 'run', tarball, '--strict']);
  const json = ['./schema/plugin.json', './package.json', './script'];
  const args = [tarball, '--profile', 'esm-only', '--exclude-entrypoints', ...json];
  run('package: are the types wrong', ['@arethetypeswrong/cli/dist/index.js', ...args]);
}

function install() {
  const manifest = { name: 'consumer', private: true, type: 'module' };
  writeFileSync(join(consumer, 'package.json'), JSON.stringify(manifest));
  const args = ['install', tarball, '--prefer-offline', '--no-audit', '--no-fund'];
  mustStep('package: npm install of the tarball', 'npm', args, { cwd: consumer });
}

function extractExamples() {
  const readme = join(root, 'README.md');
  const names = existsSync(readme) ? writeExamples(readme, consumer) : [];
  const runnable = names.filter((name) => existsSync(join(consumer, name, 'main.ts')));
  if (runnable.length === 0) {
    console.error('package: README has no example');
    process.exit(1);
  }
  return runnable;
}

/** Strict, with the package's own declarations (no skipLibCheck); compiler and Node types are ours. */
function typeCheck() {
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const config = { compilerOptions, include: ['*/**/*.ts'] };
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify(config));
  run('package: types of the examples', ['typescript/bin/tsc', '-p', consumer]);
}

/** The consumer has no runner for TypeScript, but esbuild, which comes with the package. */
function runExample(folder, name) {
  createRequire(join(consumer, 'package.json'))('esbuild').buildSync({
    entryPoints: [join(folder, 'main.ts')],
    outfile: join(folder, 'main.mjs'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  const options = { cwd: folder, timeoutMs: EXAMPLE_TIMEOUT_MS };
  mustStep(`package: example ${name}`, process.execPath, ['main.mjs'], options);
}

/** The `troupe` command is there, and measures a plugin of the README. */
function runCommand() {
  const few = ['--input', '30', '--in-flight', '1', '--calls', '10', '--rounds', '1'];
  const args = ['exec', '--offline', '--', 'troupe', 'bench', 'quickstart/primes.ts', ...few];
  const options = { cwd: consumer, timeoutMs: EXAMPLE_TIMEOUT_MS };
  mustStep('package: troupe bench of an example', 'npm', args, options);
}

/** Runs a command of the repo's own node_modules. */
function run(title, [script, ...args]) {
  mustStep(title, process.execPath, [join(root, 'node_modules', script), ...args]);
}
