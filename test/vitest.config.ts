import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

// Where .ci/run wants the exact counts; unset for people.
const reportFile = process.env['TROUPE_TEST_REPORT'];

// Generous for two busy cores: a test that needs longer than this hangs.
const TEST_TIMEOUT_MS = 60_000;

// The built package runs as it is: vitest must not transform its files.
const BUILT = { external: [/\/dist\//] };

// Not those that are about a thread (memory limits, zombies), or start no plugin to speak of.
const SAME_IN_A_PROCESS = [
  'bad-hooks',
  'bad-values',
  'calls',
  'checkpoint',
  'close',
  'context',
  'crashes',
  'dead-letters',
  'deadlines',
  'groups',
  'group-children',
  'health',
  'hostile-results',
  'kernel-events',
  'lifecycle',
  'metrics',
  'overload',
  'pause',
  'plugin-streams',
  'plugin-to-plugin',
  'replicas',
  'restarts',
  'script-bad-input',
  'script-heap',
  'script-time',
  'script-values',
  'scripts',
  'secrets',
  'state',
  'stats',
  'streams',
  'thrown',
  'unload',
  'unresponsive',
  'values',
];

// Not those that are about a life that ends and comes back: a pool replaces a thread, and lives on.
const SAME_IN_A_POOL = [
  'bad-hooks',
  'bad-values',
  'calls',
  'checkpoint',
  'close',
  'context',
  'dead-letters',
  'deadlines',
  'health',
  'hostile-results',
  'lifecycle',
  'pause',
  'plugin-streams',
  'plugin-to-plugin',
  'secrets',
  'state',
  'stats',
  'streams',
  'thrown',
  'unload',
  'values',
];

// Those in which much goes to and fro.
const SAME_OVER_PORTS = [
  'bad-values',
  'calls',
  'checkpoint',
  'crashes',
  'deadlines',
  'overload',
  'pause',
  'plugin-streams',
  'plugin-to-plugin',
  'replicas',
  'restarts',
  'streams',
  'values',
];

function source(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url));
}

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    pool: 'forks',
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
    reporters: reportFile ? ['default', ['json', { outputFile: reportFile }]] : ['default'],
    projects: [
      {
        extends: true,
        // unit tests need no build
        resolve: {
          alias: [
            { find: /^troupe$/, replacement: source('src/index.ts') },
            { find: /^troupe\/plugin$/, replacement: source('src/plugin.ts') },
          ],
        },
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'behaviour',
          include: ['test/**/*.test.ts'],
          exclude: ['test/unit/**'],
          server: { deps: BUILT },
        },
      },
      {
        // The same claims about plugins that live in processes of their own.
        extends: true,
        test: {
          name: 'process',
          include: SAME_IN_A_PROCESS.map((name) => `test/behaviour/${name}.test.ts`),
          env: { TROUPE_TEST_ISOLATION: 'process' },
          server: { deps: BUILT },
        },
      },
      {
        // The same claims about plugins that live in pools.
        extends: true,
        test: {
          name: 'pool',
          include: SAME_IN_A_POOL.map((name) => `test/behaviour/${name}.test.ts`),
          env: { TROUPE_TEST_ISOLATION: 'pool' },
          server: { deps: BUILT },
        },
      },
      {
        // The same claims about plugins that are reached over message ports alone.
        extends: true,
        test: {
          name: 'port',
          include: SAME_OVER_PORTS.map((name) => `test/behaviour/${name}.test.ts`),
          env: { TROUPE_TEST_CARRIER: 'port' },
          server: { deps: BUILT },
        },
      },
    ],
  },
});
