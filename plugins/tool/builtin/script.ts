/**
 * `script`: runs a snippet of JavaScript in a VM made for it, QuickJS in WebAssembly, as the script
 * host has it. The snippet has the language and its input: no file, no network, no timer, no module.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { ToolDefinition } from 'troupe/plugin';

import { messageOf } from '../../coded-error.ts';
import type { ScriptOptions } from '../options.ts';
import { ToolError } from '../tool-error.ts';
import { TEXT_CHARS_MAX } from './script-job.ts';
import { ScriptThread } from './script-thread.ts';

const CODE_CHARS_MAX = 100_000;

export async function script({
  memoryMb = 32,
  stackKb = 256,
  runMs = 5_000,
  resultBytesMax = 256 * 1024,
}: ScriptOptions): Promise<ToolDefinition> {
  const file = createRequire(import.meta.filename).resolve('quickjs-wasi/quickjs.wasm');
  const module = await WebAssembly.compile(new Uint8Array(await readFile(file)));
  const thread = new ScriptThread({ module, memoryMb, stackKb }, runMs);
  await started(thread);
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
    async execute({ code, input = null }: Record<string, unknown>, { signal }) {
      const job = { code: String(code), input: JSON.stringify(input) };
      return resultOf(await thread.run(job, signal), resultBytesMax);
    },
  };
}

async function started(thread: ScriptThread): Promise<void> {
  try {
    await thread.start();
  } catch (error) {
    const why = `script needs a thread of its own, which cannot be started: ${messageOf(error)}`;
    throw new ToolError('TOOL_INVALID', `${why}. A restricted plugin needs permissions.worker`);
  }
}

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

function failed(code: string, message: string): ToolError {
  return new ToolError(code, message);
}
