/** Whom a WebAssembly guest may send requests to. Pure. */
import net from 'node:net';

import type { HttpRule } from '../protocol/wasm.ts';

/** The rule that allows this URL; the one that allows most, where several do. */
export function ruleFor(url: URL, rules: readonly HttpRule[]): HttpRule | undefined {
  const allowing = rules.filter((rule) => allows(rule, url));
  return allowing.find((rule) => rule.private) ?? allowing[0];
}

function allows(rule: HttpRule, { protocol, hostname, port }: URL): boolean {
  const standard = protocol === 'https:' ? 443 : 80;
  const asked = port === '' ? standard : Number(port);
  if (rule.port === undefined ? asked !== standard : asked !== rule.port) return false;
  const name = hostname.toLowerCase().replace(/\.$/, '');
  if (rule.host === '*') return true;
  if (rule.host.startsWith('*.')) return name.endsWith(rule.host.slice(1));
  return name === rule.host;
}

/** Whether an address belongs to this machine, a local network, or to nobody. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i.exec(address);
  if (mapped) {
    const [, dotted, high = '', low = ''] = mapped;
    const words = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
    return isPrivateAddress(dotted ?? words.flatMap((word) => [word >> 8, word & 255]).join('.'));
  }
  const family = net.isIP(address);
  if (family === 0) return true;
  return PRIVATE.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

const PRIVATE = new net.BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(address, bits, 'ipv4');
}
for (const [address, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(address, bits, 'ipv6');
}
