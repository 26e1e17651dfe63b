// Brings a fresh clone to where its commands run: installs what the lock file says, then builds.
// Does nothing, quickly, when nothing is to be done. Needs Node and npm only.
//   node .ci/setup.mjs [--no-build]
import { buildIsStale, installIsStale } from './stamp.mjs';
import { mustStep } from './step.mjs';

if (installIsStale()) {
  mustStep('setup: npm ci', 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
}
if (!process.argv.includes('--no-build') && buildIsStale()) {
  mustStep('setup: build', process.execPath, ['.ci/build.mjs']);
}
