// Builds dist: tsc, then the files that tsc does not carry over, the entries of threads and processes
// as one file each, and the manifest's JSON Schema.
// Files are overwritten in place and left-overs removed at the end, so that a program which runs
// from dist is disturbed as little as can be. A build that fails leaves the former dist as it was.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from 'esbuild';

import { filesBelow, root, sourceFolders, sourceHash } from './stamp.mjs';

const schemaModule = 'dist/src/kernel/spec-schema.js';
const schemaFile = 'dist/schema/plugin.json';

const stamp = sourceHash();
compile();
const built = new Set([...copyAssets(), ...(await bundleEntries()), ...(await writeSchema())]);
removeLeftovers();
makeExecutable();
writeFileSync(join(root, 'dist/.stamp'), stamp);

function compile() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', '.ci/tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

function copyAssets() {
  const assets = sourceFolders
    .flatMap(filesBelow)
    // a template is there to be copied
    .filter((file) => !/(?<!\.d)\.ts$/.test(file) || file.startsWith('plugins/custom/'));
  for (const file of assets) cpSync(join(root, file), join(root, 'dist', file));
  return assets.map((file) => `dist/${file}`);
}

/**
 * A thread that imports forty files takes twice as long to start as one that imports one, and
 * CommonJS starts before Node has its loader for ES modules ready. The packages in the bundle come
 * with their licenses.
 */
async function bundleEntries() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: filesBelow('workers').map((file) => `dist/${file.replace(/\.ts$/, '.js')}`),
    outdir: 'dist/workers',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    // a thread reads and keeps the text: a third of it is spaces and comments. Names stay, for stacks and profiles.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 120,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    plugins: [hostsApart(), processAsGlobal()],
    metafile: true,
    logLevel: 'warning',
  });
  for (const file of Object.keys(metafile.inputs).filter((name) => /^dist.workers/.test(name))) {
    for (const ending of ['', '.map']) rmSync(join(root, file + ending), { force: true });
  }
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap((file) => /node_modules\/([^/]+)\//.exec(file)?.[1] ?? []),
  );
  const notices = [...packages].sort().map((name) => {
    const license = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8');
    return `${name}\n${'='.repeat(name.length)}\n\n${license.trim()}\n`;
  });
  const licenses = 'dist/workers/THIRD-PARTY-LICENSES.txt';
  writeFileSync(join(root, licenses), notices.join('\n\n'));
  return [licenses, ...Object.keys(metafile.outputs)];
}

/**
 * A host that not every plugin needs is a file of its own: `import('./…-host.js')` in an entry. It
 * is required all the same: what Node does to import CommonJS costs 7 ms, and 20 when the thread ends.
 */
function hostsApart() {
  return {
    name: 'hosts-apart',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^\.\/[\w-]+-host\.js$/ }, ({ path, kind }) =>
        kind === 'dynamic-import' ? { path, namespace: 'host' } : undefined,
      );
      onResolve({ filter: /-host\.cjs$/, namespace: 'host' }, ({ path }) => ({
        path,
        external: true,
      }));
      onLoad({ filter: /./, namespace: 'host' }, ({ path }) => ({
        contents: `module.exports = require('${path.replace(/js$/, 'cjs')}');`,
      }));
    },
  };
}

/** `process` is there without an import, for which esbuild would copy its hundred properties, once for each file. */
function processAsGlobal() {
  return {
    name: 'process-as-global',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^node:process$/ }, ({ path }) => ({ path, namespace: 'global' }));
      onLoad({ filter: /./, namespace: 'global' }, () => ({ contents: 'export default process;' }));
    },
  };
}

async function writeSchema() {
  if (!existsSync(join(root, schemaModule))) return [];
  const { jsonSchema } = await import(pathToFileURL(join(root, schemaModule)).href);
  mkdirSync(dirname(join(root, schemaFile)), { recursive: true });
  writeFileSync(join(root, schemaFile), `${JSON.stringify(jsonSchema(), null, 2)}\n`);
  return [schemaFile];
}

/** The commands of the package: npm does so where it installs them, and not where it is linked. */
function makeExecutable() {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const file of Object.values(bin)) chmodSync(join(root, file), 0o755);
}

/** What tsc wrote for a source that is no longer there, and assets that are gone. */
function removeLeftovers() {
  for (const file of filesBelow('dist')) {
    const source = file.replace(/^dist\//, '').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (!built.has(file) && !existsSync(join(root, source))) rmSync(join(root, file));
  }
}
