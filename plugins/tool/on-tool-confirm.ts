/** The program's side of a confirmation. */
import type { PluginManager } from 'troupe';

import { messageOf } from '../coded-error.ts';
import { CONFIRM_ANSWER_TOPIC, CONFIRM_TOPIC } from './topics.ts';
import type { ToolConfirmAnswer, ToolConfirmRequest } from './types.ts';

/** A yes or a no, and what the caller is told of a no. */
export type ToolConfirmDecision = boolean | Pick<ToolConfirmAnswer, 'allow' | 'reason'>;

/**
 * Answers the questions of tools that ask before they run, of all tool plugins or of one. The
 * first answer counts; what throws refuses. Returns what ends it.
 *
 * @example
 * onToolConfirm(manager, ({ tool, message }) => confirm(`${tool}: ${message}`));
 */
export function onToolConfirm(
  manager: Pick<PluginManager, 'context'>,
  answer: (request: ToolConfirmRequest) => ToolConfirmDecision | Promise<ToolConfirmDecision>,
  { plugin }: { plugin?: string } = {},
): () => void {
  const { events } = manager.context;
  const decide = async (request: ToolConfirmRequest): Promise<void> => {
    const reply: ToolConfirmAnswer = { requestId: request.requestId, allow: false };
    try {
      const decision = await answer(request);
      if (typeof decision === 'object') {
        reply.allow = decision.allow;
        if (decision.reason !== undefined) reply.reason = decision.reason;
      } else reply.allow = decision;
    } catch (error) {
      reply.reason = `whoever was asked failed: ${messageOf(error)}`;
    }
    // a manager that is closed meanwhile needs no answer
    await events.emit(CONFIRM_ANSWER_TOPIC, reply).catch(() => undefined);
  };
  return events.on<ToolConfirmRequest>(CONFIRM_TOPIC, ({ from, data }) => {
    // a plugin can't ask in the name of another
    if (from !== data.plugin || (plugin ?? data.plugin) !== data.plugin) return;
    void decide(data);
  });
}
