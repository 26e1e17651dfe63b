// Looks for a Redis server, which the tests of the storage plugin start, and installs Debian's where there
// is none and that is allowed. Prints why there is none, where it cannot be had.
//   node .ci/redis.mjs
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const TIMEOUT_MS = 180_000;

/** Undefined where there is one now; else why there is none. */
export function installRedis() {
  if (runs('redis-server', ['--version'])) return undefined;
  if (process.getuid?.() !== 0)
    return 'redis-server is not installed, and only root may install it';
  if (!runs('apt-get', ['--version']))
    return 'redis-server is not installed, and there is no apt-get';
  const install = ['install', '-y', '--no-install-recommends', 'redis-server'];
  if (!runs('apt-get', install)) {
    runs('apt-get', ['update']);
    runs('apt-get', install);
  }
  return runs('redis-server', ['--version'])
    ? undefined
    : 'redis-server is not installed, and apt-get cannot install it';
}

function runs(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, args, { env, stdio: 'ignore', timeout: TIMEOUT_MS }).status === 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const missing = installRedis();
  console.log(missing ? `no Redis: ${missing}; its tests will be skipped` : 'Redis is there');
  if (missing) process.exitCode = 1;
}
