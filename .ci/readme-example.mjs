// Takes the examples out of a Markdown file, so that what readers copy is what is run.
// A code block counts when the line before it is one of
//   <!-- example: quickstart -->                   (the file is main.ts)
//   <!-- example: quickstart file=primes.ts -->
//   node .ci/readme-example.mjs README.md FOLDER   writes FOLDER/quickstart/main.ts and so on
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const block =
  /^<!-- example: (?<name>[\w-]+)(?: file=(?<file>[\w./-]+))? -->\s*\n```\w*\n(?<code>.*?)^```$/gms;

/** The tagged blocks of a Markdown text, in their order: `{ name, file, code }`. */
export function examplesIn(markdown) {
  return [...markdown.matchAll(block)].map(({ groups }) => ({
    name: groups.name,
    file: groups.file ?? 'main.ts',
    code: groups.code,
  }));
}

/** Writes each block to `folder/NAME/FILE`; returns the names, each once. */
export function writeExamples(markdownFile, folder) {
  const examples = examplesIn(readFileSync(markdownFile, 'utf8'));
  for (const { name, file, code } of examples) {
    const path = join(folder, name, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
  return [...new Set(examples.map(({ name }) => name))];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [markdownFile, folder] = process.argv.slice(2);
  console.log(writeExamples(markdownFile, folder).join('\n'));
}
