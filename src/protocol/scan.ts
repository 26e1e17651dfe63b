/**
 * Reads MessagePack without building anything: are these bytes exactly one plain value, within
 * the depth, its lengths within the bytes? It runs before every decode, so the decoder meets
 * only what our encoder could have written: a forged length can't make it allocate, an
 * extension can't make it build, a nested array can't overflow its stack.
 */
import { CodecError } from './codec-error.ts';

let position = 0;
let end = 0;
let source: Uint8Array = new Uint8Array();

/** Throws a {@link CodecError} where the bytes `[start, stop)` are not one plain value. */
export function scan(bytes: Uint8Array, start: number, stop: number, depthMax: number): void {
  source = bytes;
  position = start;
  end = stop;
  value(depthMax);
  if (position !== end) malformed('trailing bytes');
}

function value(depth: number): void {
  const token = byte();
  if (token < 0x80 || token >= 0xe0) return;
  if (token < 0x90) {
    map(token & 0x0f, depth);
  } else if (token < 0xa0) {
    array(token & 0x0f, depth);
  } else if (token < 0xc0) {
    skip(token & 0x1f);
  } else {
    wide(token, depth);
  }
}

function wide(token: number, depth: number): void {
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return;
    case 0xc4: // bin 8, str 8
    case 0xd9:
      skip(byte());
      return;
    case 0xc5: // bin 16, str 16
    case 0xda:
      skip(uint16());
      return;
    case 0xc6: // bin 32, str 32
    case 0xdb:
      skip(uint32());
      return;
    case 0xcc: // uint 8, int 8
    case 0xd0:
      skip(1);
      return;
    case 0xcd: // uint 16, int 16
    case 0xd1:
      skip(2);
      return;
    case 0xce: // uint 32, int 32
    case 0xd2:
      skip(4);
      return;
    case 0xcb: // float 64, uint 64, int 64
    case 0xcf:
    case 0xd3:
      skip(8);
      return;
    case 0xd4: // the one extension there is: undefined
      if (byte() !== 0 || byte() !== 0) malformed('unknown extension');
      return;
    case 0xdc:
      array(uint16(), depth);
      return;
    case 0xdd:
      array(uint32(), depth);
      return;
    case 0xde:
      map(uint16(), depth);
      return;
    case 0xdf:
      map(uint32(), depth);
      return;
    default:
      malformed(`unknown token 0x${token.toString(16)}`);
  }
}

function array(length: number, depth: number): void {
  if (depth === 0) tooDeep();
  if (length > end - position) malformed('length beyond the end');
  for (let i = 0; i < length; i++) value(depth - 1);
}

function map(length: number, depth: number): void {
  if (depth === 0) tooDeep();
  if (length * 2 > end - position) malformed('length beyond the end');
  for (let i = 0; i < length; i++) {
    key();
    value(depth - 1);
  }
}

function key(): void {
  const token = byte();
  let length: number;
  if (token >= 0xa0 && token < 0xc0) length = token & 0x1f;
  else if (token === 0xd9) length = byte();
  else if (token === 0xda) length = uint16();
  else if (token === 0xdb) length = uint32();
  else return malformed('a key that is no string');
  if (length === 9 && isProto()) malformed('a __proto__ key');
  skip(length);
}

const PROTO = Array.from('__proto__', (character) => character.charCodeAt(0));

function isProto(): boolean {
  return PROTO.every((code, i) => source[position + i] === code);
}

function byte(): number {
  if (position >= end) malformed('cut short');
  return source[position++] as number;
}

function uint16(): number {
  return byte() * 0x100 + byte();
}

function uint32(): number {
  return uint16() * 0x10000 + uint16();
}

function skip(length: number): void {
  position += length;
  if (position > end) malformed('length beyond the end');
}

function tooDeep(): never {
  throw new CodecError('PAYLOAD_TOO_LARGE', 'nested too deeply', { limit: 'payloadDepthMax' });
}

function malformed(what: string): never {
  throw new CodecError('PAYLOAD_INVALID', `malformed MessagePack: ${what}`);
}
