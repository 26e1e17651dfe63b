/**
 * The control plane: Comlink over a private port, or a pipe's own channel. Comlink never rejects
 * when the other side dies, so nobody awaits what it returns without a deadline and the life's end.
 */
import { MessagePort } from 'node:worker_threads';

import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

import type { ActorControl } from '../protocol/messages.ts';

export type ControlPort = MessagePort | Comlink.Endpoint;

export function exposeControl(control: ActorControl, port: ControlPort): void {
  Comlink.expose(control, endpointOf(port));
}

export function wrapControl(port: ControlPort): ActorControl {
  return Comlink.wrap<ActorControl>(endpointOf(port));
}

function endpointOf(port: ControlPort): Comlink.Endpoint {
  return port instanceof MessagePort ? nodeEndpoint(port) : port;
}
