/** @param to a folder; default `build`, beside this file. */
export function buildGuests(to?: string): Promise<void>;
