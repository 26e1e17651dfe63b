/** Where a call of the embedding program goes, and who hears its answer. */
import { CodecError } from '../protocol/codec-error.ts';
import { encode, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { FLAG } from '../protocol/frame.ts';
import type { CallRequest, Receiver } from '../supervisor/call.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Kernel } from './kernel.ts';
import { PromiseReceiver, StreamReceiver, type ReceiverOptions } from './receivers.ts';
import type { ExecuteOptions } from './types.ts';

export function execute(
  kernel: Kernel,
  id: string,
  input: unknown,
  options?: ExecuteOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const supervisor = kernel.registry.get(id);
    const receiver = new PromiseReceiver(receivingFor(kernel, supervisor), resolve, reject);
    supervisor.accept(requestOf(supervisor, receiver, 0, input, options));
  });
}

export function stream(
  kernel: Kernel,
  id: string,
  input: unknown,
  options?: ExecuteOptions,
): AsyncIterable<unknown> {
  try {
    return openStream(kernel, id, input, options);
  } catch (error) {
    // like every other failure of a stream, it is met by its reader
    return failedStream(error);
  }
}

function openStream(
  kernel: Kernel,
  id: string,
  input: unknown,
  options: ExecuteOptions | undefined,
): AsyncIterable<unknown> {
  const supervisor = kernel.registry.get(id);
  const receiver = new StreamReceiver(receivingFor(kernel, supervisor), supervisor.dispatcher);
  receiver.call = supervisor.accept(requestOf(supervisor, receiver, FLAG.stream, input, options));
  return receiver.chunks;
}

function failedStream(error: unknown): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<never> {
        throw error instanceof Error ? error : new Error(String(error));
      },
    }),
  };
}

function requestOf(
  supervisor: Supervisor,
  receiver: Receiver,
  flags: number,
  input: unknown,
  options: ExecuteOptions | undefined,
): CallRequest {
  return {
    payload: encodeFor(supervisor, input, options),
    receiver,
    flags: options?.idempotent === true ? flags | FLAG.idempotent : flags,
    timeoutMs: options?.timeoutMs ?? supervisor.plan.limits.callTimeoutMs,
    signal: options?.signal,
    parent: undefined,
  };
}

/** What the receivers of one plugin's calls share: made once. */
const receiving = new WeakMap<Supervisor, ReceiverOptions>();

function receivingFor({ events }: Kernel, supervisor: Supervisor): ReceiverOptions {
  const known = receiving.get(supervisor);
  if (known) return known;
  const { id, plan } = supervisor;
  const options: ReceiverOptions = {
    pluginId: id,
    limits: plan.limits,
    onProgress: (call, progress) => {
      events.emit('progress', id, call.generation, { callId: call.id, ...progress });
    },
  };
  receiving.set(supervisor, options);
  return options;
}

function encodeFor({ id, plan }: Supervisor, input: unknown, options?: ExecuteOptions): Payload {
  try {
    return encode(input, plan.limits, options?.transfer);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new PluginError(error.code, `the input for ${id} cannot be sent: ${error.message}`, {
      pluginId: id,
      data: error.data,
    });
  }
}
