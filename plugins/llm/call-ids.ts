/** Calls of tools in one answer, each by an id of its own: some servers give two the same. */

/**
 * Renames what comes twice, as `<id>_2`. Everything behind goes by these ids: which result is of
 * which call, for the SDK, for readers, and for the server when it gets both back.
 */
export function distinctCalls(): <T extends { type: string }>(part: T) => T {
  const used = new Set<string>();
  return (part) => {
    if (!isCall(part)) return part;
    const { toolCallId } = part;
    let own = toolCallId;
    for (let number = 2; used.has(own); number++) own = `${toolCallId}_${String(number)}`;
    used.add(own);
    return own === toolCallId ? part : { ...part, toolCallId: own };
  };
}

/** One that the server runs itself tells its result by the id that it gave. */
function isCall<T extends { type: string }>(part: T): part is T & { toolCallId: string } {
  const isOfServer = 'providerExecuted' in part && part.providerExecuted === true;
  return part.type === 'tool-call' && 'toolCallId' in part && !isOfServer;
}
