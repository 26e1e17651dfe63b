import { PluginError } from '../../src/protocol/errors.ts';

/** What became of a verb, without waiting for it. */
export function watch(outcome: Promise<void>): { is: string } {
  const watched = { is: 'open' };
  outcome.then(
    () => {
      watched.is = 'done';
    },
    (error: unknown) => {
      watched.is = error instanceof PluginError ? error.code : String(error);
    },
  );
  return watched;
}
