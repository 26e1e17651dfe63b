/** Under which isolation the plugins of this run live, where a test does not say itself. */
import process from 'node:process';

const ISOLATIONS = ['thread', 'process', 'pool'] as const;

export const ISOLATION =
  ISOLATIONS.find((isolation) => isolation === process.env['TROUPE_TEST_ISOLATION']) ?? 'thread';

/** What stats say of a plugin whose thread was lost once: a pool replaces it and lives on. */
export const AFTER_A_CRASH =
  ISOLATION === 'pool' ? { generation: 1, restarts: 0 } : { generation: 2, restarts: 1 };
