/**
 * Where the runtime calls a plugin. V8 would compile a small `execute` into the runtime's own loop,
 * and there its loops run slower; a call that has seen several functions it leaves a call.
 */
import type { Call, PluginHooks } from '../plugin.ts';

type Executing = Pick<PluginHooks, 'execute'>;

export function execute(hooks: Executing, input: unknown, call: Call | undefined): unknown {
  return hooks.execute(input, call as Call);
}

/** More than V8 calls a function before it begins to take notes of what that calls. */
const CALLS = 300;
const KINDS: readonly Executing[] = [{ execute: (input) => input }, { execute: () => undefined }];

for (let i = 0; i < CALLS; i++) for (const kind of KINDS) execute(kind, i, undefined);
