import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, test } from 'vitest';

// The extractor is a plain script, shared with the check of the packed package.
import { writeExamples } from '../../.ci/readme-example.mjs';
import { temporaryFolder } from '../support/files.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSX = import.meta.resolve('tsx');
const run = promisify(execFile);

/** The examples of a page, each in a folder of its own where `troupe` is installed. */
async function extract(page: string): Promise<{ folder: string; names: string[] }> {
  const folder = await temporaryFolder({ 'package.json': '{ "type": "module" }' });
  const modules = path.join(folder, 'node_modules');
  await mkdir(modules);
  await symlink(ROOT, path.join(modules, 'troupe'), 'dir');
  return { folder, names: writeExamples(path.join(ROOT, page), folder) };
}

describe.each([
  'README.md',
  'docs/writing-plugins.md',
  'docs/supervision.md',
  'docs/scripts.md',
  'docs/reload.md',
  'docs/plugins/llm.md',
  'docs/plugins/tool.md',
  'docs/plugins/storage.md',
  'docs/plugins/memory.md',
  'docs/plugins/monitor.md',
  'docs/plugins/custom.md',
])('the examples of %s', (page) => {
  test('run as they are printed, and end by themselves', async () => {
    const { folder, names } = await extract(page);
    const programs = names.map((name) => path.join(folder, name, 'main.ts')).filter(existsSync);
    expect(programs).not.toEqual([]);
    for (const program of programs) {
      const { stdout } = await run(process.execPath, ['--import', TSX, program], {
        cwd: path.dirname(program),
        timeout: 100_000,
      });
      expect({ program, isSilent: stdout.trim() === '' }).toEqual({ program, isSilent: false });
    }
  }, 120_000);
});
