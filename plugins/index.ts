/** Door 3, `troupe/plugins`: factories of the bundled plugins. Each returns a typed spec. */

