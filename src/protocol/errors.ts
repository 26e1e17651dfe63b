/** The one error class of the runtime and its closed list of codes. */

export const ERROR_CODES = [
  'NOT_FOUND',
  'ALREADY_REGISTERED',
  'INVALID_SPEC',
  'INVALID_STATE',
  'DEPENDENCY_MISSING',
  'DEPENDENCY_CYCLE',
  'DEPENDENCY_VERSION',
  'LOAD_FAILED',
  'INIT_FAILED',
  'START_FAILED',
  'START_TIMEOUT',
  'STOP_TIMEOUT',
  'NOT_RUNNING',
  'MAILBOX_FULL',
  'CALL_FAILED',
  'CALL_TIMEOUT',
  'CALL_ABORTED',
  'CALL_CYCLE',
  'PLUGIN_CRASHED',
  'PLUGIN_STOPPED',
  'PAYLOAD_INVALID',
  'PAYLOAD_TOO_LARGE',
  'PERMISSION_DENIED',
  'RELOAD_FAILED',
  'NO_ROUTE',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface PluginErrorOptions {
  pluginId?: string | undefined;
  callId?: string | undefined;
  /** Facts about the failure, by code; documented in docs/semantics.md. */
  data?: Record<string, unknown> | undefined;
  /** What the plugin threw, or what the runtime met. */
  cause?: unknown;
}

/**
 * Everything the runtime rejects with. `code` says what happened, `pluginId` where, `data` the
 * facts (for example `{ phase: 'queued' }` of a `CALL_TIMEOUT`), and `cause` is what the plugin
 * itself threw, with its class name, message, code and stack.
 */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  readonly code: ErrorCode;
  readonly pluginId: string | undefined;
  readonly callId: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: PluginErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.pluginId = options.pluginId;
    this.callId = options.callId;
    this.data = options.data ?? {};
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return ERROR_CODES.some((code) => code === value);
}
