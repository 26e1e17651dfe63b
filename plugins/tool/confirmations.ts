/**
 * Asks whether a tool may run: tells an event, and waits for the event that answers it. Events, so
 * that nothing is held open between the plugin and the program, and any thread of a pool can ask.
 */
import { randomUUID } from 'node:crypto';

import type { PluginContext } from 'troupe/plugin';

import { ToolError } from './tool-error.ts';
import { CONFIRM_ANSWER_TOPIC, CONFIRM_TOPIC } from './topics.ts';
import type { ToolConfirmRequest } from './types.ts';

export interface Verdict {
  allow: boolean;
  reason: string;
}

export interface ConfirmationLimits {
  confirmTimeoutMs: number;
  /** Questions that are open at once: each holds a call of the plugin, and others are to get in. */
  questionsMax: number;
}

export class Confirmations {
  readonly #ctx: PluginContext;
  readonly #timeoutMs: number;
  readonly #questionsMax: number;
  readonly #pending = new Map<string, (verdict: Verdict) => void>();
  readonly #counts = { asked: 0, allowed: 0, refused: 0, unanswered: 0 };
  #leave: (() => void) | undefined;

  constructor(ctx: PluginContext, { confirmTimeoutMs, questionsMax }: ConfirmationLimits) {
    this.#ctx = ctx;
    this.#timeoutMs = confirmTimeoutMs;
    this.#questionsMax = questionsMax;
  }

  /**
   * Rejects where the question can't be told, or the caller gave up.
   *
   * @throws ToolError `TOOL_BUSY` where too many are open.
   */
  async ask(
    question: Pick<ToolConfirmRequest, 'tool' | 'arguments' | 'message'>,
    signal: AbortSignal,
  ): Promise<Verdict> {
    signal.throwIfAborted();
    if (this.#pending.size >= this.#questionsMax) {
      throw new ToolError(
        'TOOL_BUSY',
        `'${question.tool}' may not ask now: ${String(this.#pending.size)} runs wait for a ` +
          'confirmation already. Try again when one is answered',
      );
    }
    this.#leave ??= this.#ctx.events.on(CONFIRM_ANSWER_TOPIC, ({ data }) => this.#answered(data));
    const requestId = randomUUID();
    const request: ToolConfirmRequest = {
      requestId,
      plugin: this.#ctx.id,
      ...question,
      deadline: Date.now() + this.#timeoutMs,
    };
    this.#counts.asked++;
    let timer: NodeJS.Timeout | undefined;
    let giveUp: (() => void) | undefined;
    try {
      const verdict = await new Promise<Verdict>((resolve, reject) => {
        const unanswered = {
          allow: false,
          reason: `nobody answered in ${String(this.#timeoutMs)} ms`,
        };
        this.#pending.set(requestId, resolve);
        timer = setTimeout(() => {
          this.#counts.unanswered++;
          resolve(unanswered);
        }, this.#timeoutMs);
        giveUp = () => reject(signal.reason as Error);
        signal.addEventListener('abort', giveUp, { once: true });
        this.#ctx.events.emit(CONFIRM_TOPIC, request).catch(reject);
      });
      this.#counts[verdict.allow ? 'allowed' : 'refused']++;
      return verdict;
    } finally {
      clearTimeout(timer);
      if (giveUp) signal.removeEventListener('abort', giveUp);
      this.#pending.delete(requestId);
    }
  }

  stats(): Record<string, number> {
    return { ...this.#counts, pending: this.#pending.size };
  }

  close(): void {
    this.#leave?.();
    this.#leave = undefined;
    for (const resolve of this.#pending.values()) {
      resolve({ allow: false, reason: 'the plugin is being stopped' });
    }
  }

  /** Anybody can emit the event: only a plain `true` is a yes. */
  #answered(data: unknown): void {
    if (typeof data !== 'object' || data === null) return;
    const { requestId, allow, reason }: { requestId?: unknown; allow?: unknown; reason?: unknown } =
      data;
    if (typeof requestId !== 'string' || typeof allow !== 'boolean') return;
    const told = typeof reason === 'string' ? reason.slice(0, 1_000) : 'it was not allowed';
    this.#pending.get(requestId)?.({ allow, reason: told });
  }
}
