/** A VM for one snippet: QuickJS in WebAssembly, with the language, the input, and nothing else. */
import type { JSValueHandle, QuickJS } from 'quickjs-wasi';

import { messageOf } from '../../coded-error.ts';
import { ToolError } from '../tool-error.ts';
import { LOG_LINES_MAX, TEXT_CHARS_MAX, type ScriptJob, type ScriptMemory } from './script-job.ts';

type Engine = typeof import('quickjs-wasi');

const MIB = 1024 * 1024;

/** Inside the VM, before the snippet, which can't reach what it keeps. */
const PRELUDE = `(() => {
  const { stringify, parse } = JSON;
  const text = String;
  const lines = [];
  const log = (...values) => {
    if (lines.length >= ${String(LOG_LINES_MAX)}) return;
    const shown = values.map((v) => (typeof v === 'object' ? stringify(v) : text(v))).join(' ');
    lines.push(shown.slice(0, ${String(TEXT_CHARS_MAX)}));
  };
  globalThis.console = { log, info: log, warn: log, error: log, debug: log };
  return {
    begin: (json) => { globalThis.input = parse(json); },
    end: (value) => stringify({ value, lines }),
    failed: (error) => stringify({ error: text(error).slice(0, ${String(TEXT_CHARS_MAX)}), lines }),
  };
})()`;

/**
 * Runs it to its end, however long that takes. Gives the JSON of its value and its lines, or of its
 * error and its lines.
 *
 * @throws ToolError `SCRIPT_PENDING`; `SCRIPT_FAILED` where the VM itself could not go on.
 */
export async function runSnippet(
  engine: Engine,
  { module, memoryMb, stackKb }: ScriptMemory,
  { code, input }: ScriptJob,
): Promise<string> {
  const vm = await engine.QuickJS.create({
    wasm: module,
    memoryLimit: memoryMb * MIB,
    maxStackSize: stackKb * 1024,
    intrinsics: intrinsicsOf(engine),
    timezoneOffset: 0,
  });
  try {
    return await run(vm, engine, code, input);
  } finally {
    // also where it is lost: its memory goes with it
    dispose(vm);
  }
}

/** The language, and nothing of a browser. */
function intrinsicsOf({ Intrinsics }: Engine): number {
  const { ALL, PERFORMANCE, DOM_EXCEPTION, ATOB_BTOA } = Intrinsics;
  return ALL & ~(PERFORMANCE | DOM_EXCEPTION | ATOB_BTOA);
}

/** The JSON that `end` or `failed` makes; nothing else is read of the VM. */
async function run(vm: QuickJS, engine: Engine, code: string, input: string): Promise<string> {
  const parts = vm.evalCode(PRELUDE, 'prelude.js');
  const call = (name: string, argument: JSValueHandle): string => {
    const returned = vm.callFunction(parts.getProp(name), vm.undefined, argument);
    return returned.isString ? returned.toString() : '';
  };
  try {
    call('begin', vm.newString(input));
    const promise = vm.evalCode(code, 'snippet.js', engine.EvalFlags.ASYNC);
    vm.executePendingJobs();
    if (promise.promiseState === PENDING) {
      throw failed('SCRIPT_PENDING', 'the script waits for what never comes: it has no timers');
    }
    const outcome = await vm.resolvePromise(promise);
    // the engine wraps what a snippet evaluates to
    return 'error' in outcome
      ? call('failed', outcome.error)
      : call('end', outcome.value.getProp('value'));
  } catch (error) {
    if (error instanceof ToolError) throw error;
    throw failed('SCRIPT_FAILED', messageOf(error).slice(0, TEXT_CHARS_MAX));
  }
}

const PENDING = 0;

function dispose(vm: QuickJS): void {
  try {
    vm.dispose();
  } catch {
    // a VM that ran out of its memory can't count its values any more
  }
}

function failed(code: string, message: string): ToolError {
  return new ToolError(code, message);
}
