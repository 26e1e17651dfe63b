/** The terminal, or the pipe, that a command writes to: colours, width, and an end that loses nothing. */
import process from 'node:process';
import { styleText } from 'node:util';

const WIDTH_COLUMNS_DEFAULT = 80;
const WIDTH_COLUMNS_MIN = 60;
/** Longer lines are hard to read. */
const WIDTH_COLUMNS_MAX = 110;

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (style: Style, text: string) => string;

/** Colours only where somebody sees them: never into a pipe, never against NO_COLOR. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const isColourful = stream.isTTY && stream.hasColors();
  return isColourful ? (style, text) => styleText(style, text) : plain;
}

export const plain: Paint = (_style, text) => text;

export function widthOf(stream: NodeJS.WriteStream): number {
  const columns = stream.isTTY ? stream.columns : WIDTH_COLUMNS_DEFAULT;
  return Math.min(WIDTH_COLUMNS_MAX, Math.max(WIDTH_COLUMNS_MIN, columns || WIDTH_COLUMNS_DEFAULT));
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** For what is not the result: it stays out of pipes. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A reader that went away (`| head`) is no fault of the command. */
export function toleratePipesThatClose(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

/** Ends when all is written, also while a module of the user's keeps a timer or a socket open. */
export function endWith(exitCode: number): void {
  process.exitCode = exitCode;
  process.stderr.write('', () => {
    process.stdout.write('', () => process.exit());
  });
}
