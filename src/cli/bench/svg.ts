/**
 * What every picture is made of, those of the project's own benchmarks and soak runs too: an SVG
 * that needs nothing to be shown, and is readable on light and dark pages.
 */
export interface Picture {
  width: number;
  height: number;
  title: string;
  subtitle: string;
  /** Beside what all pictures have, for light and for dark pages; without variables, which only browsers know. */
  style?: { light: string; dark: string };
  body: readonly string[];
}

export interface Point {
  x: number;
  y: number;
}

/** What the title and the subtitle take, from the top. */
export const HEAD = 64;

const LIGHT = `
  text { font: 11px system-ui, sans-serif; fill: #59636e; }
  .head { font-size: 17px; font-weight: 600; fill: #1f2328; }
  .title { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  .page { fill: #ffffff; }
  .rule { stroke: #d9dee3; stroke-width: 1; }`;
const DARK = `
    text { fill: #9198a1; }
    .head, .title { fill: #e6edf3; }
    .page { fill: #0d1117; }
    .rule { stroke: #30363d; }`;

const PLAIN = { light: '', dark: '' };

export function svg({ width, height, title, subtitle, style = PLAIN, body }: Picture): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" role="img">
<title>${escaped(title)}</title>
<style>${LIGHT}${style.light}
  @media (prefers-color-scheme: dark) {${DARK}${style.dark}
  }
</style>
<rect class="page" width="100%" height="100%"/>
${text(16, 28, 'head', title)}
${text(16, 48, '', subtitle)}
${body.join('\n')}
</svg>
`;
}

export function text(x: number, y: number, kind: string, content: string): string {
  const attribute = kind && ` class="${kind}"`;
  return `<text x="${round(x)}" y="${round(y)}"${attribute}>${escaped(content)}</text>`;
}

export function moved(x: number, y: number, content: string): string {
  return `<g transform="translate(${round(x)} ${round(y)})">\n${content}\n</g>`;
}

/** A line through points; `attributes` say its colour. */
export function polyline(points: readonly Point[], attributes: string): string {
  const path = points.map(({ x, y }) => `${round(x)} ${round(y)}`).join(', ');
  return `<polyline ${attributes} points="${path}" fill="none" stroke-width="2" stroke-linejoin="round"/>`;
}

/** A line across, with what it stands for at its left end. */
export function rule(left: number, right: number, y: number, label: string): string {
  const line = `<line class="rule" x1="${round(left)}" x2="${round(right)}" y1="${round(y)}" y2="${round(y)}"/>`;
  return line + text(left - 8, y + 4, 'end', label);
}

/** A coordinate. */
export function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
