/** Errors of the monitor: what a caller gets as the `cause` of its `CALL_FAILED`. */

/**
 * `E_MONITOR_INPUT`: an op, a field or a rule is wrong. `E_MONITOR_KIND`: the series is of another
 * kind. `E_MONITOR_FULL`: there are as many series or rules as may be. `E_MONITOR_RANGE`: the
 * answer would be too large.
 */
export type MonitorErrorCode =
  | 'E_MONITOR_INPUT'
  | 'E_MONITOR_KIND'
  | 'E_MONITOR_FULL'
  | 'E_MONITOR_RANGE';

export class MonitorError extends Error {
  override readonly name = 'MonitorError';
  readonly code: MonitorErrorCode;

  constructor(code: MonitorErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
