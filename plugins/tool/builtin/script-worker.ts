/** The thread of `script`: runs one snippet after the other, each in a VM of its own. */
import { parentPort, workerData } from 'node:worker_threads';

import * as engine from 'quickjs-wasi';

import { messageOf } from '../../coded-error.ts';
import { codeOf } from '../tool-error.ts';
import type { ScriptAnswer, ScriptJob, ScriptMemory } from './script-job.ts';
import { runSnippet } from './script-vm.ts';

const memory = workerData as ScriptMemory;

async function answer(job: ScriptJob): Promise<ScriptAnswer> {
  try {
    return { text: await runSnippet(engine, memory, job) };
  } catch (error) {
    return { code: codeOf(error), message: messageOf(error) };
  }
}

parentPort?.on('message', (job: ScriptJob) => {
  void answer(job).then((told) => parentPort?.postMessage(told));
});
parentPort?.postMessage('ready');
