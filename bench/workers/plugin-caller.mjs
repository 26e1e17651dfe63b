// Calls another plugin, and says how long that took, seen from inside.
import { definePlugin } from 'troupe/plugin';

import { microsecondsPerCall } from './calling.mjs';

export default definePlugin((ctx) => ({
  execute: ({ to, ...calls }) => microsecondsPerCall((input) => ctx.call(to, input), calls),
}));
