/**
 * What one actor has open towards the rest: calls to other plugins, streams the kernel serves it,
 * locks it holds. When its link ends, all of it is let go.
 */
import { splitRoute } from '../protocol/affinity.ts';
import { decode, encode, forwardable } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { FLAG, KERNEL_ROUTE, KIND, TIMEOUT_UNSAID, type FrameReader } from '../protocol/frame.ts';
import { ROUTES_MAX, RUNTIME_LIMITS } from '../protocol/limits.ts';
import { toWireError } from '../protocol/wire-error.ts';
import type { ActorLink } from '../supervisor/call-target.ts';
import { Call } from '../supervisor/call.ts';
import type { Keeper } from '../supervisor/keeper.ts';
import { LinkReceiver } from './receivers.ts';

/** Something open that its caller may cancel or give credit. */
export interface Inbound {
  cancel(): void;
  grant(chunks: number): void;
}

export interface SessionOptions {
  caller: Keeper;
  /** Over which the actor speaks. */
  link: ActorLink;
  /** The plugin a call goes to. */
  find: (id: string) => Keeper | undefined;
  /** A call to the kernel itself. What it returns is what stays open of it. */
  serve: (session: Session, request: unknown, to: ReturnTo) => Inbound | undefined;
}

export interface ReturnTo {
  slot: number;
  number: number;
}

export class Session {
  readonly caller: Keeper;
  readonly link: ActorLink;
  readonly #find: SessionOptions['find'];
  readonly #serve: SessionOptions['serve'];
  readonly #routes = new Map<number, string>();
  readonly #inbound = new Map<number, Inbound>();

  constructor({ caller, link, find, serve }: SessionOptions) {
    this.caller = caller;
    this.link = link;
    this.#find = find;
    this.#serve = serve;
  }

  onFrame(frame: FrameReader): void {
    switch (frame.kind) {
      case KIND.bind:
        this.#bind(frame);
        return;
      case KIND.cancel:
        this.#inbound.get(frame.number)?.cancel();
        this.#inbound.delete(frame.number);
        return;
      case KIND.credit:
        this.#inbound.get(frame.number)?.grant(frame.detail);
        return;
      default:
        this.#onCall(frame);
    }
  }

  /** Answers with an error of the runtime. */
  refuse(to: ReturnTo, error: PluginError): void {
    this.#inbound.delete(to.number);
    const payload = encode(toWireError(error), RUNTIME_LIMITS);
    this.link.reply(KIND.failure, to, payload, FLAG.runtime);
  }

  /** What was kept open for a call is not needed any more. */
  settled(to: ReturnTo): void {
    this.#inbound.delete(to.number);
  }

  end(): void {
    for (const inbound of this.#inbound.values()) inbound.cancel();
    this.#inbound.clear();
  }

  #bind(frame: FrameReader): void {
    const id = decode(frame, RUNTIME_LIMITS);
    if (typeof id === 'string' && frame.route > 0 && frame.route <= ROUTES_MAX) {
      this.#routes.set(frame.route, id);
    }
  }

  #onCall(frame: FrameReader): void {
    const to: ReturnTo = { slot: frame.slot, number: frame.number };
    try {
      if (frame.route === KERNEL_ROUTE) {
        const inbound = this.#serve(this, decode(frame, RUNTIME_LIMITS), to);
        if (inbound) this.#inbound.set(to.number, inbound);
      } else this.#forward(frame, to);
    } catch (error) {
      this.refuse(to, asPluginError(error));
    }
  }

  #forward(frame: FrameReader, to: ReturnTo): void {
    const { route, affinity } = splitRoute(frame.route);
    const id = this.#routes.get(route) ?? '';
    const target = this.#find(id);
    if (!target) {
      throw new PluginError(
        'NOT_FOUND',
        `${this.caller.id} called ${id}, which is not registered`,
        {
          pluginId: id,
        },
      );
    }
    const parent = this.#parentOf(frame.parent);
    const timeoutMs =
      frame.detail === TIMEOUT_UNSAID ? target.plan.limits.callTimeoutMs : frame.detail;
    const receiver = new LinkReceiver(this.link, to, () => this.#inbound.delete(to.number));
    const call = target.accept({
      payload: forwardable(frame),
      receiver,
      flags: frame.flags & (FLAG.stream | FLAG.idempotent),
      timeoutMs,
      parent,
      affinity,
    });
    if (!call || call.settled) return;
    this.#inbound.set(to.number, {
      cancel: () => {
        call.owner.expire(call, 'CALL_ABORTED');
      },
      grant: (chunks) => {
        call.owner.grant(call, chunks);
      },
    });
  }

  /** The caller's own call on whose behalf it calls, if it still runs. */
  #parentOf(number: number): Call | undefined {
    const exchange = number === 0 ? undefined : this.link.exchangeOf(number);
    return exchange instanceof Call ? exchange : undefined;
  }
}

export function asPluginError(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  const { code, message } = toWireError(error);
  const refused = code === 'PAYLOAD_INVALID' || code === 'PAYLOAD_TOO_LARGE';
  return new PluginError(refused ? code : 'CALL_FAILED', message, { cause: error });
}
