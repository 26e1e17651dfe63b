import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

// Where .ci/run wants the exact counts; unset for people.
const reportFile = process.env['TROUPE_TEST_REPORT'];

// Generous for two busy cores: a test that needs longer than this hangs.
const TEST_TIMEOUT_MS = 20_000;

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
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'behaviour',
          include: ['test/**/*.test.ts'],
          exclude: ['test/unit/**'],
          // The built package runs as it is: vitest must not transform its files.
          server: { deps: { external: [/\/dist\//] } },
        },
      },
    ],
  },
});
