/** What the tool plugin throws, and what it says of errors that tools throw. */
import { CodedError } from '../coded-error.ts';

/** Its message is one that a model can act on. Codes of tools are open: tools may be anybody's. */
export class ToolError extends CodedError<string> {
  override readonly name = 'ToolError';
}

/** What kind of failure it was: the error's own code where it has one like `FS_NOT_FOUND`. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : 'TOOL_FAILED';
}
