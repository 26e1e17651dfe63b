/** Takes the values of `hostHeaders` out of what hosts say: one that echoes them tells the caller. */
import { createMask } from '../../mask.ts';
import { HEADERS_FOR_ALL } from './http-rules.ts';

/** Of the beginning of a value, where what is said was cut inside it. */
const PART_CHARS_MIN = 4;

export interface HttpMask {
  /** @param isCut the text went on: a part of a value may be its end */
  text: (text: string, isCut?: boolean) => string;
  bytes: (bytes: Uint8Array, isCut?: boolean) => Buffer;
}

export function createHttpMask(hostHeaders: Record<string, Record<string, string>>): HttpMask {
  const values = Object.values(hostHeaders)
    .flatMap((headers) => Object.entries(headers))
    // what any host may be told is no key, and stands in ordinary answers
    .filter(([name]) => !HEADERS_FOR_ALL.has(name.toLowerCase()))
    .flatMap(([, value]) => [value, keyOf(value)]);
  const known = [...new Set(values.flatMap(spellingsOf))];
  const masked = createMask(known);
  const text: HttpMask['text'] = (said, isCut = false) => {
    const whole = masked(said);
    const part = isCut ? Math.max(0, ...known.map((key) => partAtEnd(whole, key))) : 0;
    return part === 0 ? whole : `${whole.slice(0, -part)}[secret]`;
  };
  return {
    text,
    // a character a byte, there and back
    bytes: (bytes, isCut) =>
      Buffer.from(text(Buffer.from(bytes).toString('latin1'), isCut), 'latin1'),
  };
}

/** Behind the scheme: `Bearer …`. */
function keyOf(value: string): string {
  return value.replace(/^[\w-]+ +/, '');
}

/** As it is, in JSON, in a URL, and as bytes. */
function spellingsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    // well-formed by way of the bytes
    encodeURIComponent(bytes.toString()),
    bytes.toString('latin1'),
  ];
}

/** How much of the end of a text is the beginning of a key. */
function partAtEnd(text: string, key: string): number {
  for (let length = Math.min(key.length - 1, text.length); length >= PART_CHARS_MIN; length--) {
    if (text.endsWith(key.slice(0, length))) return length;
  }
  return 0;
}
