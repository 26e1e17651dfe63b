/** Composes an actor: link, loop, context, control. Runs no code of the plugin's. */
import { AsyncLocalStorage } from 'node:async_hooks';

import type { PluginContext, PluginHooks } from '../plugin.ts';
import type { Blocking } from '../protocol/blocking.ts';
import { KIND, type FrameReader } from '../protocol/frame.ts';
import type { ScriptSources } from '../protocol/kept-code.ts';
import { OUTBOUND_CALLS_MAX } from '../protocol/limits.ts';
import type { HostKind } from '../protocol/manifest.ts';
import type { BootData } from '../protocol/messages.ts';
import { createRedactor } from '../protocol/redact.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';
import { toWireError } from '../protocol/wire-error.ts';
import { exposeControl, type ControlPort } from '../transport/control-port.ts';
import { Link } from '../transport/link.ts';
import type { Transport } from '../transport/transport.ts';
import { CallLoop } from './call-loop.ts';
import { createContext } from './context.ts';
import { createControl } from './control.ts';
import { installCrashHandlers } from './crash.ts';
import { Gate } from './gate.ts';
import { installGuard } from './guard/install.ts';
import { withKeptCode } from './kept-code.ts';
import { MetricSet } from './metrics.ts';
import { Outbound } from './outbound.ts';
import { captureStandardStreams, createOutput } from './output.ts';
import type { CallScope, RunningCall } from './running-call.ts';
import { Standstill } from './standstill.ts';
import { uninterruptedOn } from './uninterrupted.ts';

/**
 * Turns the boot data's entry into a plugin's setup.
 * @param keep told what a script was made of, for its next life.
 */
export type Host = (
  boot: BootData,
  blocking: Blocking,
  keep: (sources: ScriptSources) => void,
) => Promise<(context: PluginContext) => PluginHooks | Promise<PluginHooks>>;

/** What connects an actor with its supervisor: different for a thread and a process. */
export interface Carrier {
  boot: BootData;
  board: SignalBoard;
  transport: Transport;
  control: ControlPort;
  /** It is a thread, which may be ended in the middle of anything. */
  isThread: boolean;
}

/**
 * @param hosts what can run in this actor, by kind; each is asked for only when needed.
 * @param called told once, when the first call is over and answered.
 */
export function bootActor(
  { boot: told, board, transport, control: port, isThread }: Carrier,
  hosts: Partial<Record<HostKind, Host>>,
  called?: () => void,
): void {
  const boot = withKeptCode(told);
  const { pluginId, generation, limits } = boot;
  const redactor = createRedactor(boot.secrets);
  const link: Link = new Link({
    transport,
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
  const lastWords = installCrashHandlers(link, redactor);
  const output = createOutput({
    link,
    bytesPerSecMax: limits.logBytesPerSecMax,
    redactor,
    sent: () => {
      loop.flushIfDue();
    },
  });
  captureStandardStreams(output);
  if (boot.guard) installGuard(boot.guard);
  const gate = new Gate(board, link, (error) => {
    output.log.error(`a hook failed at a checkpoint: ${toWireError(error).message}`);
  });
  const scope: CallScope = {
    pluginId,
    generation,
    limits,
    board,
    link,
    redactor,
    park: (call) => {
      gate.park(call);
    },
    flushIfDue: () => {
      loop.flushIfDue();
    },
    called,
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
  const metrics = new MetricSet(redactor);
  const uninterrupted = uninterruptedOn(isThread ? board : undefined, pluginId);
  const context = createContext({
    boot,
    outbound,
    log: output.log,
    lastWords,
    metrics,
    uninterrupted,
  });
  const blocking = new Standstill({
    board,
    link,
    limits,
    outbound,
    drain: transport.drain && (() => transport.drain?.()),
    current: () => loop.current,
  });
  let sources: ScriptSources | undefined;
  const keep = (read: ScriptSources): void => {
    sources = read;
  };
  const host = hosts[boot.host];
  const loadPlugin = (): ReturnType<Host> =>
    host
      ? host(boot, blocking, keep)
      : Promise.reject(new TypeError(`this actor has no ${boot.host} host`));
  const control = createControl({
    loadPlugin,
    sources: () => sources,
    context,
    loop,
    gate,
    board,
    limits,
    redactor,
    metrics,
    watched: () => outbound.watched(),
  });
  exposeControl(control, port);
}

function dispatch(frame: FrameReader, loop: CallLoop): void {
  if (frame.kind === KIND.call) loop.accept(frame);
  else if (frame.kind === KIND.cancel) loop.cancel(frame);
  else if (frame.kind === KIND.credit) loop.credit(frame);
}
