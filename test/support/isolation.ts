/** How the plugins of this run live and are reached, where a test does not say itself. */
import process from 'node:process';

const ISOLATIONS = ['thread', 'process', 'pool'] as const;

export const ISOLATION =
  ISOLATIONS.find((isolation) => isolation === process.env['TROUPE_TEST_ISOLATION']) ?? 'thread';

export const CARRIER = process.env['TROUPE_TEST_CARRIER'] === 'port' ? 'port' : 'auto';

/** What stats say of a plugin whose thread was lost once: a pool replaces it and lives on. */
export const AFTER_A_CRASH =
  ISOLATION === 'pool' ? { generation: 1, restarts: 0 } : { generation: 2, restarts: 1 };
