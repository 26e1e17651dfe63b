/**
 * The frame: a fixed header and a body. Routers read the header only. All numbers are little
 * endian; docs/protocol.md draws it.
 *
 *   0 kind u8 · 1 flags u8 · 2 slot u16 · 4 body length u32 · 8 generation u32
 *   12 number i32 · 16 route u32 · 20 detail u32 · 24 parent i32
 */

export const HEADER_BYTES = 28;

export const KIND = {
  /** Run a call. detail: time left (ms, 0 = none); parent: the caller's own call, from an actor. */
  call: 1,
  /** The call's result. */
  result: 2,
  /** The call failed; body: a WireError. */
  failure: 3,
  /** One chunk of a stream. */
  chunk: 4,
  /** The stream is complete. */
  end: 5,
  /** The call was cancelled before it began. */
  skipped: 6,
  /** Abort the call; detail: see CANCEL_REASON. */
  cancel: 7,
  /** The reader took chunks; detail: how many more may come. */
  credit: 8,
  /** From now on `route` means the plugin named in the body. */
  bind: 9,
  /** A log line. */
  log: 10,
  /** A call's progress report. */
  progress: 11,
  /** The actor is about to die of an error; body: a WireError, detail: see CRASH_KIND. */
  crash: 12,
  /** The plugin ends itself (`ctx.exit`); body: the reason. */
  exit: 13,
  /** The actor stands still at a checkpoint; detail: the pause's number. */
  parked: 14,
  /** The actor goes on after standing still; detail: the pause's number. */
  awake: 15,
  /** The actor exits and says nothing more; detail: the exit code. */
  gone: 16,
} as const;

export type Kind = (typeof KIND)[keyof typeof KIND];
const KIND_MAX = KIND.gone;

export const FLAG = {
  /** The body is a table of nodes (rich-table.ts), not a plain value. */
  rich: 1,
  /** The caller reads a stream. */
  stream: 2,
  /** The call may run twice. */
  idempotent: 4,
  /** Large buffers of the value travel beside the bytes, as copies: they are never moved. */
  apart: 16,
  /** A failure that the runtime itself reports: the body is a PluginError. */
  runtime: 8,
} as const;

export const CANCEL_REASON = { abort: 1, deadline: 2, stop: 3 } as const;
export const CRASH_KIND = { 'uncaught': 1, 'unhandled-rejection': 2 } as const;

/** Route 0 is the kernel itself: shared state, locks, events. */
export const KERNEL_ROUTE = 0;

export interface Header {
  kind: Kind;
  flags: number;
  slot: number;
  generation: number;
  number: number;
  route: number;
  detail: number;
  parent: number;
}

/** Writes a header at `at`; the body, `bodyBytes` long, follows it. */
export function writeHeader(view: DataView, at: number, bodyBytes: number, header: Header): void {
  view.setUint8(at, header.kind);
  view.setUint8(at + 1, header.flags);
  view.setUint16(at + 2, header.slot, true);
  view.setUint32(at + 4, bodyBytes, true);
  view.setUint32(at + 8, header.generation, true);
  view.setInt32(at + 12, header.number, true);
  view.setUint32(at + 16, header.route, true);
  view.setUint32(at + 20, header.detail, true);
  view.setInt32(at + 24, header.parent, true);
}

/**
 * Walks the frames of one batch. One reader serves a whole batch: who wants to keep a frame
 * copies what it needs (see {@link Body}) before the next.
 */
export class FrameReader implements Header {
  kind: Kind = KIND.call;
  flags = 0;
  slot = 0;
  generation = 0;
  number = 0;
  route = 0;
  detail = 0;
  parent = 0;
  start = 0;
  end = 0;
  readonly bytes: Uint8Array;
  readonly attachments: readonly unknown[];
  readonly #view: DataView;

  constructor(bytes: Uint8Array, attachments: readonly unknown[] = []) {
    this.bytes = bytes;
    this.attachments = attachments;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves to the next frame. False at the end, `undefined` where the rest is not frames. */
  next(): boolean | undefined {
    const at = this.end;
    if (at === this.bytes.byteLength) return false;
    if (at + HEADER_BYTES > this.bytes.byteLength) return undefined;
    const view = this.#view;
    const kind = view.getUint8(at);
    const start = at + HEADER_BYTES;
    const end = start + view.getUint32(at + 4, true);
    if (end > this.bytes.byteLength || kind === 0 || kind > KIND_MAX) return undefined;
    this.kind = kind as Kind;
    this.flags = view.getUint8(at + 1);
    this.slot = view.getUint16(at + 2, true);
    this.generation = view.getUint32(at + 8, true);
    this.number = view.getInt32(at + 12, true);
    this.route = view.getUint32(at + 16, true);
    this.detail = view.getUint32(at + 20, true);
    this.parent = view.getInt32(at + 24, true);
    this.start = start;
    this.end = end;
    return true;
  }
}

/** Call numbers wrap at 32 bits: is `a` later than `b`? */
export function isLater(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** A call's `detail` from an actor that names no timeout: the called plugin's default applies. */
export const TIMEOUT_UNSAID = 0xffff_ffff;
