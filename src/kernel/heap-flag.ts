/** Finds what this process was started with that makes V8 ignore the limits of its threads. */

const FLAG = /--max[-_]old[-_]space[-_]size(?:[-_]percentage)?(?:[= ]\d+)?/;

/** @returns the flag as it was given, if it was. */
export function heapFlagOf(
  execArgv: readonly string[],
  nodeOptions: string | undefined,
): string | undefined {
  return FLAG.exec([...execArgv, nodeOptions ?? ''].join(' '))?.[0];
}

export function heapFlagWarning(flag: string): string {
  return (
    `this process runs with ${flag}, which replaces the memory limit V8 keeps for each thread: ` +
    'limits.memoryMb is still watched from outside, but what outruns the watch is not stopped there'
  );
}
