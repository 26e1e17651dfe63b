/** SHA-256 in hex. `node:crypto` is loaded for the first: that takes two milliseconds, and a start needs none. */
import process from 'node:process';

export function sha256(content: Uint8Array | string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(content).digest('hex');
}
