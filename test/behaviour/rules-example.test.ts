import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

const TSX = import.meta.resolve('tsx');
const MAIN = fileURLToPath(new URL('../../examples/rules/main.ts', import.meta.url));
const run = promisify(execFile);

it('the example of rules by file does what it says', { timeout: 180_000 }, async () => {
  const args = ['--import', TSX, MAIN, '--seconds', '0.2'];
  const { stdout } = await run(process.execPath, args, { timeout: 150_000 });
  const lines = stdout.split('\n');
  expect(lines).toContainEqual(expect.stringMatching(/next call: .* 35 points \(large\)/));
  expect(lines).toContainEqual(expect.stringMatching(/refused .*rules\.ts:15:\d+: Unexpected ","/));
  expect(lines).toContainEqual(expect.stringMatching(/next call: .* 0 points \(no rule applies\)/));
  expect(lines.at(-2)).toMatch(/^\d+ calls, 0 failed; .*: yes$/);
});
