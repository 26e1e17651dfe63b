// Everything about the code that can be checked without running it. Goes on after a failure.
import { step } from './step.mjs';

const checks = {
  format: ['oxfmt/bin/oxfmt', '--check'],
  lint: ['oxlint/bin/oxlint'],
  types: ['typescript/bin/tsc', '--noEmit'],
};

const results = Object.entries(checks).map(([title, [script, ...args]]) =>
  step(`check: ${title}`, process.execPath, [`node_modules/${script}`, ...args]),
);
if (results.includes(false)) process.exitCode = 1;
