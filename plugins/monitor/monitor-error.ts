/** What the monitor throws. */
import { CodedError } from '../coded-error.ts';

export type MonitorErrorCode =
  /** An op, a field, a rule or an option is wrong. */
  | 'MONITOR_INVALID_INPUT'
  /** The series is of another kind. */
  | 'MONITOR_KIND'
  /** There are as many series or rules as may be. */
  | 'MONITOR_FULL'
  /** The answer would be too large. */
  | 'MONITOR_RANGE';

export class MonitorError extends CodedError<MonitorErrorCode> {
  override readonly name = 'MonitorError';
}
