/** What a result was measured on. */
import os from 'node:os';
import process from 'node:process';

import type { Machine } from './result.ts';

export function thisMachine(): Machine {
  return {
    platform: process.platform,
    arch: process.arch,
    cpu: os.cpus()[0]?.model.trim().replaceAll(/\s+/g, ' ') ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
  };
}
