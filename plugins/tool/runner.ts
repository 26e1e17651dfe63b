/** One call of a tool, from its arguments to its result. Never throws: a failure is an answer. */
import type { Call, PluginContext, ToolCall } from 'troupe/plugin';

import { messageOf } from '../coded-error.ts';
import { nearest } from '../nearest.ts';
import { bounded, type Bounds } from './bounded.ts';
import type { Catalog, PreparedTool } from './catalog.ts';
import type { Confirmations } from './confirmations.ts';
import { decodeArguments } from './input.ts';
import type { Check } from './schema.ts';
import type { Tally } from './tally.ts';
import { codeOf, ToolError } from './tool-error.ts';
import type { ToolCallInput, ToolResult } from './types.ts';

/** Runs of one tool that were given up and go on all the same; with so many, no more are begun. */
export const ABANDONED_MAX = 100;
const PROBLEMS_MAX = 8;

export interface RunnerParts {
  ctx: PluginContext;
  catalog: Catalog;
  confirmations: Confirmations;
  tally: Tally;
}

export class Runner {
  readonly #parts: RunnerParts;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  async run({ name, arguments: given }: ToolCallInput, call: Call): Promise<ToolResult> {
    const { catalog, tally } = this.#parts;
    const tool = catalog.get(name);
    if (!tool) {
      tally.unknown();
      return failure('TOOL_NOT_FOUND', notFound(name, [...catalog.keys()]));
    }
    const begun = performance.now();
    let result: ToolResult;
    try {
      result = { ok: true, result: await this.#perform(tool, given, call) };
    } catch (error) {
      // nobody hears it any more; it is counted
      const code = call.signal.aborted ? 'TOOL_ABORTED' : codeOf(error);
      const said = messageOf(error);
      result = failure(code, error instanceof Error ? said : `it threw ${said}`);
    }
    tally.settled(name, result.ok ? undefined : result.error.code, performance.now() - begun);
    return result;
  }

  async #perform(tool: PreparedTool, given: unknown, call: Call): Promise<unknown> {
    const { definition, timeoutMs, input, output } = tool;
    const { name } = definition;
    const { tally } = this.#parts;
    if (tally.abandoned(name) >= ABANDONED_MAX) {
      throw new ToolError(
        'TOOL_STUCK',
        `${String(ABANDONED_MAX)} runs of '${name}' were given up and have not ended; restart the plugin`,
      );
    }
    const bounds: Bounds = {
      timeoutMs,
      signal: call.signal,
      timeoutMessage: `'${name}' took longer than its ${String(timeoutMs)} ms`,
    };
    const raw = decodeArguments(given);
    const args = await bounded(bounds, () => checked(input.check, raw, 'arguments'));
    await this.#confirm(tool, raw, args, call, bounds);
    const deadline = Date.now() + timeoutMs;
    const result = await bounded(
      bounds,
      ({ signal, check }) => {
        const toolCall: ToolCall = {
          id: call.id,
          tool: name,
          signal,
          deadline,
          ctx: this.#parts.ctx,
          progress: (fraction, note) => call.progress(fraction, note),
          checkpoint() {
            call.checkpoint();
            check();
          },
        };
        return definition.execute(args, toolCall);
      },
      (run) => tally.abandon(name, run),
    );
    return output ? bounded(bounds, () => checked(output.check, result, 'result')) : result;
  }

  async #confirm(
    { definition: { name, confirm = false } }: PreparedTool,
    raw: unknown,
    args: Record<string, unknown>,
    call: Call,
    bounds: Bounds,
  ): Promise<void> {
    const wish =
      typeof confirm === 'function' ? await bounded(bounds, () => confirm(args)) : confirm;
    if (wish === false) return;
    const message = typeof wish === 'string' ? wish : `May the tool '${name}' run?`;
    const question = { tool: name, arguments: isCarried(args) ? args : raw, message };
    const { allow, reason } = await this.#parts.confirmations.ask(question, call.signal);
    if (!allow) throw new ToolError('TOOL_REFUSED', `'${name}' may not run: ${reason}`);
  }
}

/** A schema can make anything of arguments, also what no event carries. */
function isCarried(args: unknown): boolean {
  try {
    structuredClone(args);
    return true;
  } catch {
    return false;
  }
}

/** As the schema made it. */
async function checked(
  check: Check,
  value: unknown,
  what: 'arguments' | 'result',
): Promise<Record<string, unknown>> {
  const outcome = await check(value);
  if ('value' in outcome) return outcome.value as Record<string, unknown>;
  const { problems } = outcome;
  const more = problems.length - PROBLEMS_MAX;
  const told = problems.slice(0, PROBLEMS_MAX).join('; ').slice(0, 4_000);
  const rest = more > 0 ? ` (and ${String(more)} more)` : '';
  throw what === 'arguments'
    ? new ToolError('TOOL_ARGUMENTS_INVALID', `the arguments do not fit: ${told}${rest}`)
    : new ToolError('TOOL_RESULT_INVALID', `what the tool returned does not fit: ${told}${rest}`);
}

function notFound(name: string, names: readonly string[]): string {
  const shown = names.slice(0, 50).join(', ');
  const meant = nearest(name, names);
  const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`;
  return `there is no tool '${name.slice(0, 100)}'.${hint} There are: ${shown}`;
}

function failure(code: string, message: string): ToolResult {
  return { ok: false, error: { code, message } };
}
