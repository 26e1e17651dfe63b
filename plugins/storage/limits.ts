/** Bounds of the storage plugin, and why they are what they are. */

/** UTF-8 bytes of a namespace and a key together: LMDB has 1,978 for a key, the rest is what is kept with it. */
export const KEY_BYTES_MAX = 1_960;
/** One encoded value: what the bus carries by default (`limits.payloadBytesMax`). */
export const VALUE_BYTES_MAX = 33_554_432;
/** Entries that a scan gives in one array; a stream has no such bound. */
export const SCAN_RESULTS_MAX = 10_000;
/** What a scan reads at once, and so holds in memory: whichever of the two is reached first. */
export const SCAN_PAGE_ENTRIES = 256;
export const SCAN_PAGE_BYTES = 1_048_576;
/** A hundred years. */
export const TTL_MS_MAX = 3_155_760_000_000;
/** How often expired entries are removed. */
export const SWEEP_MS = 60_000;
/** Entries removed at once, so that what is asked meanwhile does not wait long. */
export const SWEEP_ENTRIES = 1_000;
/** Files up to this size are looked through before they are opened: about a second at most. */
export const CHECKED_BYTES_MAX = 268_435_456;
/** One question to a server, and one attempt to reach it. */
export const REQUEST_TIMEOUT_MS = 5_000;
/** What a question for health or stats has: half of what the kernel gives it, by default. */
export const VITAL_MS = 500;
/** The same while calls are open: the kernel then gives 100 ms. */
export const BUSY_VITAL_MS = 50;
/** Operations, and bytes of values, that are written in one transaction of their own accord. */
export const GROUP_OPERATIONS = 4_096;
export const GROUP_BYTES = 8_388_608;
