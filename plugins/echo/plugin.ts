/** The plugin that answers with what it was given: for a first try, for benches and for checks. */
import { definePlugin } from 'troupe/plugin';

export default definePlugin(() => {
  let echoed = 0;
  return {
    execute(input) {
      echoed++;
      return input;
    },
    stats: () => ({ echoed }),
  };
});
