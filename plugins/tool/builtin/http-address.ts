/** Which addresses belong to the public internet. What is not known to, does not. */
import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Not loopback, private, link-local, shared (100.64/10), multicast, reserved; and of IPv6 none that
 * carries an IPv4 address inside (mapped, compatible, translated, 6to4, Teredo).
 */
export function isPublic(address: string): boolean {
  // ipaddr.js alone would read 0x7f.1 as well
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return !(parsed instanceof ipaddr.IPv6) || parsed.match(GLOBAL_UNICAST);
}

/** One text for each address, however it is written. */
export function canonical(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? bare : ipaddr.parse(bare).toString();
}
