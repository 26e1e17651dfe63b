/** Colours, or none: views ask for a meaning, not for a colour. */
import { styleText } from 'node:util';

export type Meaning = 'good' | 'bad' | 'busy' | 'title' | 'faint';
export type Paint = (meaning: Meaning, text: string) => string;

export const plainPaint: Paint = (_, text) => text;

/** Use it only on a stream that has colours (`hasColors` knows NO_COLOR and FORCE_COLOR). */
export const stylePaint: Paint = (meaning, text) => {
  const format = {
    good: 'green',
    bad: 'red',
    busy: 'yellow',
    title: 'bold',
    faint: 'dim',
  } as const;
  return styleText(format[meaning], text, { validateStream: false });
};
