/**
 * Markdown to what the analysers want: prose in blocks, code apart, headings, languages.
 * Pure; never touches files, and never runs the HTML it meets.
 */
import MarkdownIt from 'markdown-it';

type Token = ReturnType<MarkdownIt['parse']>[number];

const FRONT_MATTER = /^---\r?\n[\s\S]*?\r?\n---\r?\n/;

const URL_IN_TEXT = /\bhttps?:\/\/\S+/g;

const markdownIt = new MarkdownIt({ html: true });

export interface ParsedDocument {
  /** The first heading, or an empty string. */
  readonly title: string;
  readonly headings: readonly string[];
  /** Paragraphs, list items, table cells, headings: words of two blocks are not neighbours. */
  readonly prose: readonly string[];
  readonly code: readonly string[];
  /** Fenced code blocks by the first word of their info string. */
  readonly languages: readonly (readonly [language: string, blocks: number])[];
}

export function parseMarkdown(markdown: string): ParsedDocument {
  const headings: string[] = [];
  const prose: string[] = [];
  const code: string[] = [];
  const languages = new Map<string, number>();
  let opened = '';
  for (const token of markdownIt.parse(markdown.replace(FRONT_MATTER, ''), {})) {
    if (token.type === 'inline') {
      const text = plainText(token);
      if (text !== '') prose.push(text);
      if (text !== '' && opened === 'heading_open') headings.push(text);
    } else if (token.type === 'fence' || token.type === 'code_block') {
      code.push(token.content);
      const language = token.info
        .trim()
        .split(/[\s{,]/, 1)[0]
        ?.toLowerCase();
      if (language) languages.set(language, (languages.get(language) ?? 0) + 1);
    }
    opened = token.type;
  }
  return { title: headings[0] ?? '', headings, prose, code, languages: [...languages] };
}

/** All that a reader sees, code too: what near-duplicates are compared by. */
export function fullText({ prose, code }: ParsedDocument): string {
  return [...prose, ...code].join('\n');
}

function plainText(inline: Token): string {
  const parts = (inline.children ?? []).map((child) =>
    child.type === 'text' || child.type === 'code_inline' ? child.content : ' ',
  );
  return parts.join('').replace(URL_IN_TEXT, ' ').replace(/\s+/g, ' ').trim();
}
