/**
 * `script`: runs a snippet of JavaScript in a VM made for it, QuickJS in WebAssembly, as the script
 * host has it. The snippet has the language and its input: no file, no network, no timer, no module.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { JSValueHandle, QuickJS } from 'quickjs-wasi';
import type { ToolCall, ToolDefinition } from 'troupe/plugin';

import { messageOf } from '../../coded-error.ts';
import type { ScriptOptions } from '../options.ts';
import { ToolError } from '../tool-error.ts';

type Engine = typeof import('quickjs-wasi');

const MIB = 1024 * 1024;
const CODE_CHARS_MAX = 100_000;
const LOG_LINES_MAX = 100;
/** Characters of a log line, and of an error. */
const TEXT_CHARS_MAX = 2_000;

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

export async function script({
  memoryMb = 32,
  stackKb = 256,
  runMs = 5_000,
  resultBytesMax = 256 * 1024,
}: ScriptOptions): Promise<ToolDefinition> {
  const engine = await import('quickjs-wasi');
  const file = createRequire(import.meta.filename).resolve('quickjs-wasi/quickjs.wasm');
  const module = await WebAssembly.compile(new Uint8Array(await readFile(file)));
  return {
    name: 'script',
    description:
      'Runs JavaScript (ES2023) in a sandbox and returns the value of its last expression, as ' +
      'JSON. `input` is what was given; `await` works; console.log is collected. No files, no ' +
      `network, no modules, no timers. At most ${String(runMs)} ms.`,
    input: {
      type: 'object',
      properties: {
        code: { type: 'string', minLength: 1, maxLength: CODE_CHARS_MAX },
        input: { description: 'Any JSON value; the snippet has it as `input`' },
      },
      required: ['code'],
      additionalProperties: false,
    },
    async execute({ code, input = null }: Record<string, unknown>, call) {
      let timedOut = false;
      const endsAt = performance.now() + runMs;
      const vm = await engine.QuickJS.create({
        wasm: module,
        memoryLimit: memoryMb * MIB,
        maxStackSize: stackKb * 1024,
        intrinsics: intrinsicsOf(engine),
        timezoneOffset: 0,
        interruptHandler: () => {
          timedOut ||= performance.now() > endsAt || isOver(call);
          return timedOut;
        },
      });
      try {
        const text = await run(vm, engine, String(code), JSON.stringify(input));
        return resultOf(text, resultBytesMax);
      } catch (error) {
        call.checkpoint();
        if (timedOut)
          throw failed('SCRIPT_TIMEOUT', `the script took longer than ${String(runMs)} ms`);
        throw error;
      } finally {
        // also where it is lost: its memory goes with it
        dispose(vm);
      }
    },
  };
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

function resultOf(text: string, bytesMax: number): Record<string, unknown> {
  if (text.length > bytesMax) {
    throw failed('SCRIPT_RESULT', `the result has more than ${String(bytesMax)} bytes of JSON`);
  }
  const told = JSON.parse(text === '' ? '{}' : text) as {
    value?: unknown;
    error?: string;
    lines?: string[];
  };
  const lines = told.lines ?? [];
  if (told.error === undefined) return { value: told.value, lines };
  const logged = lines.length === 0 ? '' : `\nconsole:\n${lines.join('\n')}`;
  throw failed('SCRIPT_FAILED', `${told.error}${logged}`.slice(0, 2 * TEXT_CHARS_MAX));
}

/** Pausing stands still in here. */
function isOver(call: ToolCall): boolean {
  try {
    call.checkpoint();
    return false;
  } catch {
    return true;
  }
}

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
