/** Undefined where there is a Redis server now; else why there is none. */
export function installRedis(): string | undefined;
