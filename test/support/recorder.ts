/** Who asked a call: keeps what it hears, as text. */
import { decode, type Body } from '../../src/protocol/codec.ts';
import type { PluginError } from '../../src/protocol/errors.ts';
import type { CallRequest, Receiver } from '../../src/supervisor/call.ts';
import { LIMITS } from './codec.ts';
import { payloadOf } from './frames.ts';

export class Recorder implements Receiver {
  readonly heard: string[] = [];
  /** How often it was told an end. */
  settled = 0;
  error: PluginError | undefined;

  result(body: Body): void {
    const value = decode(body, LIMITS);
    this.#end(`result ${String(value)}`);
  }

  failure(body: Body, fromRuntime: boolean): void {
    const { message } = decode(body, LIMITS) as { message: string };
    this.#end(`${fromRuntime ? 'runtime ' : ''}failure ${message}`);
  }

  end(): void {
    this.#end('end');
  }

  reject(error: PluginError): void {
    this.error = error;
    this.#end(error.code);
  }

  chunk(body: Body): void {
    this.heard.push(`chunk ${String(decode(body, LIMITS))}`);
  }

  progress(body: Body): void {
    this.heard.push(`progress ${String(decode(body, LIMITS))}`);
  }

  #end(what: string): void {
    this.settled++;
    this.heard.push(what);
  }
}

/** What a call may be asked with, besides its value. */
export type Asked = Partial<CallRequest> & { transfer?: ArrayBuffer[] };

export function requestOf(
  value: unknown,
  fields: Asked = {},
): CallRequest & { receiver: Recorder } {
  const { transfer, ...rest } = fields;
  const receiver = new Recorder();
  return { payload: payloadOf(value, transfer), flags: 0, timeoutMs: 0, ...rest, receiver };
}
