/** Under which isolation the plugins of this run live, where a test does not say itself. */
import process from 'node:process';

export const ISOLATION = process.env['TROUPE_TEST_ISOLATION'] === 'process' ? 'process' : 'thread';
