/** Who is told: a machine, a person, or a file. Decided once, at the start. */
import { JsonView } from './json-view.ts';
import { LinesView } from './lines-view.ts';
import { TerminalView } from './terminal-view.ts';
import type { View } from './view.ts';

export function chooseView(json: boolean, out: NodeJS.WriteStream): View {
  if (json) return new JsonView(out);
  return out.isTTY && process.env['TERM'] !== 'dumb' ? new TerminalView(out) : new LinesView(out);
}
