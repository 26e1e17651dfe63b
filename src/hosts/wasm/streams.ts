/** Standard input and output of a guest with WASI: of one call, or lines in the log. */
import { StringDecoder } from 'node:string_decoder';

import type { Logger } from '../../plugin.ts';
import { CodecError } from '../../protocol/codec-error.ts';
import type { StandardStreams } from './wasi.ts';

const LINE_BYTES_MAX = 8 * 1024;
const OUTPUT_BYTES_MIN = 1_024;

export class Streams implements StandardStreams {
  readonly #log: Logger;
  readonly #bytesMax: number;
  /** Chunks that the call has given so far. */
  chunks = 0;
  #input: Uint8Array = Buffer.alloc(0);
  /** Has room for more than there is. */
  #output = Buffer.alloc(0);
  #outputBytes = 0;
  /** Whether what goes to standard output is the call's output, and not the log's. */
  #collects = false;
  readonly #lines = { stdout: '', stderr: '' };
  /** A character may come in two writes. */
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };

  /** @param bytesMax of an output. */
  constructor(log: Logger, bytesMax: number) {
    this.#log = log;
    this.#bytesMax = bytesMax;
  }

  begin(input: Uint8Array | string, { collects }: { collects: boolean }): void {
    this.#collects = collects;
    this.#input = typeof input === 'string' ? Buffer.from(input, 'utf8') : input;
    this.#output = Buffer.alloc(0);
    this.#outputBytes = 0;
    this.chunks = 0;
  }

  output(): Buffer {
    return this.#output.subarray(0, this.#outputBytes);
  }

  /** What is left of a line without an end. */
  flush(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#lines[stream] += this.#decoders[stream].end();
      if (this.#lines[stream] !== '') this.#line(stream, this.#lines[stream]);
      this.#lines[stream] = '';
    }
  }

  read(bytesMax: number): Uint8Array {
    const bytes = this.#input.subarray(0, bytesMax);
    this.#input = this.#input.subarray(bytes.byteLength);
    return bytes;
  }

  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    if (stream === 'stdout' && this.#collects) this.#collect(bytes);
    else this.#tell(stream, bytes);
  }

  #collect(bytes: Uint8Array): void {
    const end = this.#outputBytes + bytes.byteLength;
    if (end > this.#bytesMax) {
      const max = this.#bytesMax;
      throw new CodecError(
        'PAYLOAD_TOO_LARGE',
        `its output has more than limits.payloadBytesMax (${String(max)}) bytes`,
        { limit: 'payloadBytesMax', max, bytes: end },
      );
    }
    if (end > this.#output.byteLength) {
      const grown = Buffer.allocUnsafe(Math.max(OUTPUT_BYTES_MIN, 2 * end));
      this.#output.copy(grown, 0, 0, this.#outputBytes);
      this.#output = grown;
    }
    this.#output.set(bytes, this.#outputBytes);
    this.#outputBytes = end;
  }

  #tell(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    // a view of the guest's memory, and the decoder wants a Buffer
    const text = this.#decoders[stream].write(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    );
    const lines = (this.#lines[stream] + text).split('\n');
    this.#lines[stream] = lines.pop() ?? '';
    for (const line of lines) this.#line(stream, line);
    if (this.#lines[stream].length > LINE_BYTES_MAX) this.flush();
  }

  #line(stream: 'stdout' | 'stderr', line: string): void {
    if (stream === 'stdout') this.#log.info(line);
    else this.#log.warn(line);
  }
}
