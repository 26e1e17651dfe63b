// Builds the guests of this folder into `build`: what their languages' own tools would do.
//
//   npx asc assemblyscript/vowels.ts --outFile build/vowels.wasm --optimize \
//     --use abort=assemblyscript/vowels/fail
//   npx wat2wasm wat/shout.wat --output build/shout.wasm --debug-names
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { main as compile } from 'assemblyscript/asc';
import wabt from 'wabt';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** @param {string} [to] a folder; default `build`, beside this file. */
export async function buildGuests(to = `${folder}build`) {
  mkdirSync(to, { recursive: true });
  await buildAssemblyScript('assemblyscript/vowels', `${to}/vowels.wasm`);
  await buildText('wat/shout.wat', `${to}/shout.wasm`);
}

async function buildAssemblyScript(name, target) {
  const { error } = await compile(
    [`${name}.ts`, '--outFile', 'guest.wasm', '--optimize', '--use', `abort=${name}/fail`],
    {
      readFile: (file, base) => read(file, base),
      writeFile: (_file, bytes) => writeFileSync(target, bytes),
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${name} does not compile: ${error.message}`);
}

/** A file of this folder, or of a package above it. */
function read(file, base) {
  for (const root of [base === '.' ? folder : base, `${folder}../..`]) {
    try {
      return readFileSync(`${root}/${file}`, 'utf8');
    } catch {
      // looked for in the next place
    }
  }
  return null;
}

async function buildText(source, target) {
  const { parseWat } = await wabt();
  const module = parseWat(source, readFileSync(`${folder}${source}`, 'utf8'));
  writeFileSync(target, module.toBinary({ write_debug_names: true }).buffer);
  module.destroy();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildGuests();
