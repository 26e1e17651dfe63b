/**
 * A guard rail for a plugin in a thread, where Node's permission model is not to be had: functions
 * of Node's modules throw as they do under that model. It catches mistakes, and stops nobody who
 * looks for a way round it. What it leaves open is in SECURITY.md.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

import type { Access } from '../../protocol/manifest.ts';
import { accessDenied, apiDenied, type Permission } from './denied.ts';
import { guardFiles } from './fs-guard.ts';
import { judgeOf } from './judge.ts';
import { realPathOf } from './real-path.ts';
import { THROW, wrap } from './wrap.ts';

/** For Node's own modules: those that are of no use to other plugins are loaded only here. */
const require = createRequire(process.execPath);

/** To be called before any code of the plugin's. */
export function installGuard(access: Access): void {
  guardFiles(judgeOf(access, realPathOf));
  if (!access.childProcess) guardPrograms();
  if (!access.worker) deny(require('node:worker_threads') as object, 'Worker', 'WorkerThreads');
  wrap(process, 'binding', () => apiDenied('process.binding'), THROW);
  // what an ES module has imported by name
  syncBuiltinESMExports();
}

function guardPrograms(): void {
  const programs = require('node:child_process') as typeof import('node:child_process');
  // spawn, exec, execFile, fork and their promises come through here
  deny(programs.ChildProcess.prototype, 'spawn', 'ChildProcess');
  for (const name of ['spawnSync', 'execSync', 'execFileSync']) {
    deny(programs, name, 'ChildProcess');
  }
}

function deny(owner: object, name: string, permission: Permission): void {
  wrap(owner, name, ([what]) => accessDenied(permission, resourceOf(what)), THROW);
}

/** A program as text, or as the options of a `ChildProcess`. */
function resourceOf(what: unknown): string {
  if (typeof what === 'string') return what;
  const isOptions = typeof what === 'object' && what !== null && 'file' in what;
  return isOptions && typeof what.file === 'string' ? what.file : '';
}
