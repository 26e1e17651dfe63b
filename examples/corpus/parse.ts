/**
 * The plugin `parse`: Markdown to text, then the document's way through the other actors. One call
 * is one document from end to end; while it waits for the others, the next ones are parsed
 * (`concurrency`). Never keeps a document.
 */
import { definePlugin } from 'troupe/plugin';

import { type DocumentResult, resultOf } from './analysis/collection.ts';
import { fullText, parseMarkdown } from './analysis/markdown.ts';
import type { TermStatistics } from './analysis/terms.ts';
import type { Document } from './documents.ts';
import type { SignatureRequest } from './duplicates.ts';
import type { TermsRequest } from './terms.ts';

export interface ParseRequest extends Document {
  /** Lets `duplicates` crash over this document, once. */
  readonly crashDuplicates: boolean;
}

/** All of it may be done twice without harm, so a call whose actor died is simply sent again. */
const AGAIN = { idempotent: true };

export default definePlugin<ParseRequest, number>((ctx) => ({
  async execute({ path, markdown, crashDuplicates }) {
    const parsed = parseMarkdown(markdown);
    const forTerms: TermsRequest = { prose: parsed.prose };
    const forDuplicates: SignatureRequest = { text: fullText(parsed), crash: crashDuplicates };
    const [statistics, signature] = await Promise.all([
      ctx.call<TermStatistics>('terms', forTerms, AGAIN),
      ctx.call<Int32Array>('duplicates', forDuplicates, AGAIN),
    ]);
    const result: DocumentResult = resultOf(path, parsed, statistics, signature);
    return ctx.call<number>('collect', result, AGAIN);
  },
}));
