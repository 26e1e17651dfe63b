/** Composes an actor inside its thread: link, loop, context, control. Runs no code of the plugin's. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { workerData, type MessagePort } from 'node:worker_threads';

import type { PluginContext, PluginHooks } from '../plugin.ts';
import { KIND, type FrameReader } from '../protocol/frame.ts';
import { OUTBOUND_CALLS_MAX } from '../protocol/limits.ts';
import type { HostKind } from '../protocol/manifest.ts';
import type { BootData } from '../protocol/messages.ts';
import { SignalBoard } from '../protocol/signal-board.ts';
import { toWireError } from '../protocol/wire-error.ts';
import { exposeControl } from '../transport/control-port.ts';
import { Link } from '../transport/link.ts';
import { messagePortTransport } from '../transport/message-port.ts';
import { CallLoop } from './call-loop.ts';
import { createContext } from './context.ts';
import { createControl } from './control.ts';
import { installCrashHandlers } from './crash.ts';
import { Gate } from './gate.ts';
import { Outbound } from './outbound.ts';
import { captureStandardStreams, createOutput } from './output.ts';
import type { CallScope, RunningCall } from './running-call.ts';

/** Turns the boot data's entry into a plugin's setup. */
export type Host = (
  boot: BootData,
) => Promise<(context: PluginContext) => PluginHooks | Promise<PluginHooks>>;

/** What the creating side puts into `workerData`. */
export interface ThreadData {
  boot: BootData;
  busPort: MessagePort;
  controlPort: MessagePort;
}

/** @param hosts what can run in this thread, by kind; each is asked for only when needed. */
export function bootActor(hosts: Partial<Record<HostKind, Host>>): void {
  const { boot, busPort, controlPort } = takeThreadData();
  const { pluginId, generation, limits } = boot;
  const board = new SignalBoard(boot.board);
  const link: Link = new Link({
    transport: messagePortTransport(busPort),
    generation,
    slots: OUTBOUND_CALLS_MAX,
    onFrame: (frame) => {
      dispatch(frame, loop);
    },
    onMalformed: (what) => {
      output.log.warn(`a message was refused: ${what}`);
    },
    onPending: () => undefined,
  });
  const lastWords = installCrashHandlers(link);
  const output = createOutput(link, limits.logBytesPerSecMax, () => {
    loop.flushIfDue();
  });
  captureStandardStreams(output);
  const gate = new Gate(board, link, (error) => {
    output.log.error(`a hook failed at a checkpoint: ${toWireError(error).message}`);
  });
  const scope: CallScope = {
    pluginId,
    generation,
    limits,
    board,
    link,
    park: (call) => {
      gate.park(call);
    },
    flushIfDue: () => {
      loop.flushIfDue();
    },
  };
  // interleaved calls can be told apart only by their async context; a lone one needs none
  const spans = boot.concurrency > 1 ? new AsyncLocalStorage<RunningCall>() : undefined;
  const loop: CallLoop = new CallLoop(
    scope,
    boot.concurrency,
    spans && ((call, execute) => spans.run(call, execute)),
  );
  const outbound = new Outbound({
    pluginId,
    limits,
    link,
    parent: () => (spans ? spans.getStore() : loop.current)?.number ?? 0,
    urge: () => {
      loop.urge();
    },
  });
  const context = createContext(boot, outbound, output.log, lastWords);
  const host = hosts[boot.host];
  const loadPlugin = (): ReturnType<Host> =>
    host ? host(boot) : Promise.reject(new TypeError(`this thread has no ${boot.host} host`));
  exposeControl(createControl({ loadPlugin, context, loop, gate, limits }), controlPort);
}

function dispatch(frame: FrameReader, loop: CallLoop): void {
  if (frame.kind === KIND.call) loop.accept(frame);
  else if (frame.kind === KIND.cancel) loop.cancel(frame);
  else if (frame.kind === KIND.credit) loop.credit(frame);
}

/** The ports are ours: a plugin that looks into `workerData` finds nothing to break. */
function takeThreadData(): ThreadData {
  const data = workerData as ThreadData;
  const { boot, busPort, controlPort } = data;
  for (const key of Object.keys(data)) Reflect.deleteProperty(data, key);
  return { boot, busPort, controlPort };
}
