/** Under which isolation the plugins of this run live, where a test does not say itself. */
import process from 'node:process';

const ISOLATIONS = ['thread', 'process', 'pool'] as const;

export const ISOLATION =
  ISOLATIONS.find((isolation) => isolation === process.env['TROUPE_TEST_ISOLATION']) ?? 'thread';
