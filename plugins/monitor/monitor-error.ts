/** Errors of the monitor: what a caller gets as the `cause` of its `CALL_FAILED`. */

/**
 * `MONITOR_INPUT`: an op, a field or a rule is wrong. `MONITOR_KIND`: the series is of another
 * kind. `MONITOR_FULL`: there are as many series or rules as may be. `MONITOR_RANGE`: the
 * answer would be too large.
 */
export type MonitorErrorCode = 'MONITOR_INPUT' | 'MONITOR_KIND' | 'MONITOR_FULL' | 'MONITOR_RANGE';

export class MonitorError extends Error {
  override readonly name = 'MonitorError';
  readonly code: MonitorErrorCode;

  constructor(code: MonitorErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
