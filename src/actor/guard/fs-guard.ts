/** Guards what takes paths in `node:fs` and its promises. */
import fs from 'node:fs';
import process from 'node:process';

import { apiDenied } from './denied.ts';
import { PATH_USES, type PathUse } from './fs-table.ts';
import type { Judge } from './judge.ts';
import { CALL_BACK, REJECT, THROW, wrap, type Check, type Deliver } from './wrap.ts';

/** Those whose last argument is not called with an error. */
const OTHERWISE: Readonly<Record<string, Deliver>> = {
  exists: (_error, args) => {
    const callback = args.at(-1);
    if (typeof callback === 'function') process.nextTick(callback, false);
  },
  openAsBlob: REJECT,
  watch: THROW,
  watchFile: THROW,
};

/** As Node has it: a link may lead from where a plugin may to where it may not. */
const SYMLINK = 'fs.symlink API requires full fs.read and fs.write permissions.';

export function guardFiles(judge: Judge): void {
  for (const [name, uses] of Object.entries(PATH_USES)) guard(name, checkOf(uses, judge));
  guard('symlink', () => (judge.isUnlimited ? undefined : apiDenied(SYMLINK)));
  for (const name of ['realpath', 'realpathSync'] as const) {
    const deliver = name === 'realpath' ? CALL_BACK : THROW;
    wrap(fs[name], 'native', checkOf(PATH_USES['realpath'] ?? [], judge), deliver);
  }
}

function guard(name: string, check: Check): void {
  wrap(fs, name, check, OTHERWISE[name] ?? CALL_BACK);
  wrap(fs, `${name}Sync`, check, THROW);
  wrap(fs.promises, name, check, name === 'watch' ? THROW : REJECT);
}

function checkOf(uses: readonly PathUse[], judge: Judge): Check {
  return (args) => {
    for (const { at, needs, suffix = '' } of uses) {
      const given = args[at];
      const file = typeof given === 'string' ? given + suffix : given;
      for (const need of typeof needs === 'function' ? needs(args) : needs) {
        const error = judge.denies(file, need);
        if (error) return error;
      }
    }
    return undefined;
  };
}
