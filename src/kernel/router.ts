/** Where a call of the embedding program goes, and who hears its answer. */
import { affinityOf } from '../protocol/affinity.ts';
import { CodecError } from '../protocol/codec-error.ts';
import { encode, type Payload } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { FLAG } from '../protocol/frame.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { timeoutOf } from '../protocol/timeout.ts';
import type { CallRequest, Receiver } from '../supervisor/call.ts';
import type { Keeper } from '../supervisor/keeper.ts';
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
    const keeper = kernel.registry.get(id);
    const receiver = new PromiseReceiver(receivingFor(kernel, keeper), resolve, reject);
    keeper.accept(requestOf(keeper, receiver, 0, input, options));
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
  const keeper = kernel.registry.get(id);
  const receiver = new StreamReceiver(receivingFor(kernel, keeper));
  receiver.call = keeper.accept(requestOf(keeper, receiver, FLAG.stream, input, options));
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
  keeper: Keeper,
  receiver: Receiver,
  flags: number,
  input: unknown,
  options: ExecuteOptions | undefined,
): CallRequest {
  return {
    payload: encodeFor(keeper, input, options),
    receiver,
    flags: options?.idempotent === true ? flags | FLAG.idempotent : flags,
    timeoutMs:
      options?.timeoutMs === undefined
        ? keeper.plan.limits.callTimeoutMs
        : timeoutOf(options.timeoutMs),
    signal: options?.signal,
    parent: undefined,
    affinity: affinityOf(options?.affinity),
  };
}

/** What the receivers of one plugin's calls share: made once. */
const receiving = new WeakMap<PluginPlan, ReceiverOptions>();

function receivingFor({ events }: Kernel, { id, plan }: Keeper): ReceiverOptions {
  const known = receiving.get(plan);
  if (known) return known;
  const options: ReceiverOptions = {
    pluginId: id,
    limits: plan.limits,
    onProgress: (call, progress) => {
      const { replica } = call.owner;
      const where = replica === undefined ? {} : { replica };
      events.emit('progress', id, call.generation, { callId: call.id, ...progress, ...where });
    },
  };
  receiving.set(plan, options);
  return options;
}

function encodeFor({ id, plan }: Keeper, input: unknown, options?: ExecuteOptions): Payload {
  try {
    return encode(input, plan.limits, options?.transfer, 'copied');
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new PluginError(error.code, `the input for ${id} cannot be sent: ${error.message}`, {
      pluginId: id,
      data: error.data,
    });
  }
}
