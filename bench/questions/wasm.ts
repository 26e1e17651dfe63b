/** What do a WebAssembly guest's start and its calls cost, beside Extism's own runtime for JavaScript? */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { TROUPE } from '../contenders/troupe.ts';
import type { Question, QuestionOptions } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import type { Measured, Row } from '../support/row.ts';

const ISOLATED = 'Extism, in a worker';
const PROGRAM = fileURLToPath(new URL('../workers/wasm-beside-extism.mjs', import.meta.url));

export const wasm: Question = {
  name: 'wasm',
  title: 'What does a WebAssembly guest cost, beside Extism’s own runtime?',
  about:
    'The same guest, which copies its input to its output byte by byte through the functions of the ABI. It is created, called once and ended; then called with 5 bytes, and with 16 KiB, one call at a time. Extism’s runtime for JavaScript runs it in a worker, as Troupe does; and in the caller’s own thread, where a guest that does not return stops the program.',
  unit: 'µs',
  better: 'lower',
  base: ISOLATED,
  scale: 'own',
  targets: ['create, call once, end', '5 bytes', '16 KiB'].map((group) =>
    ratioIn(group, { of: TROUPE, against: ISOLATED, atMost: 1 }),
  ),
  ask,
};

/** In a process of plain Node: Extism's workers would start with the loader of this bench otherwise. */
async function ask({ quick, only, progress }: QuestionOptions): Promise<Row[]> {
  const child = fork(PROGRAM, [String(quick ? 5 : 30)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  let measured: Measured[] = [];
  child.on('message', (told: string | Measured[]) => {
    if (typeof told === 'string') progress(told);
    else measured = told;
  });
  const [exitCode] = (await once(child, 'exit')) as [number];
  if (exitCode !== 0) throw new Error(`the measuring ended with code ${String(exitCode)}`);
  return measured.filter(({ contender }) => !only || only.includes(contender));
}
