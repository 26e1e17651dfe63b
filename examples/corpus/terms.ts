/** The plugin `terms`: tokens, stems, n-grams and keywords of one document. Keeps nothing. */
import { definePlugin } from 'troupe/plugin';

import { type TermStatistics, termStatistics } from './analysis/terms.ts';
import { loopForever } from './sabotage.ts';

export type TermsRequest = { readonly prose: readonly string[] } | { readonly sabotage: 'loop' };

export default definePlugin<TermsRequest, TermStatistics>(() => ({
  execute: (request) => ('prose' in request ? termStatistics(request.prose) : loopForever()),
}));
