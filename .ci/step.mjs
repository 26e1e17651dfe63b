// One line for each command that the project's scripts run: what, whether it worked, how long.
import { spawnSync } from 'node:child_process';

import { root } from './stamp.mjs';

const STEP_TIMEOUT_MS = 600_000;

/** Runs a command quietly; its output is shown only when it fails. True when it did not. */
export function step(title, command, args, { cwd = root, timeoutMs = STEP_TIMEOUT_MS } = {}) {
  const startedAt = performance.now();
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // npm is a .cmd file on Windows, which only a shell can start.
    shell: process.platform === 'win32' && command === 'npm',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.error(`${title}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (status === 0) return true;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  if (error ?? signal) console.error(error?.message ?? `ended by ${signal}`);
  return false;
}

/** The same, and the end of the program when it fails. */
export function mustStep(title, command, args, options) {
  if (!step(title, command, args, options)) process.exit(1);
}
