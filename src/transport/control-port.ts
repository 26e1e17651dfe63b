/**
 * The control plane's carrier: Comlink over a private MessagePort. Comlink never rejects when the
 * other side dies, so nobody awaits what it returns without a deadline and the thread's end.
 */
import type { MessagePort } from 'node:worker_threads';

import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

import type { ActorControl } from '../protocol/messages.ts';

export function exposeControl(control: ActorControl, port: MessagePort): void {
  Comlink.expose(control, nodeEndpoint(port));
}

export function wrapControl(port: MessagePort): ActorControl {
  return Comlink.wrap<ActorControl>(nodeEndpoint(port));
}
