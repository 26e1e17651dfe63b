import { PluginManager } from 'troupe';

import { parseMarkdown, fullText } from './analysis/markdown.ts';
import { readCorpus } from './documents.ts';
const c = await readCorpus('node_modules', Infinity);
const parsed = c.documents.map((d) => parseMarkdown(d.markdown));
const m = new PluginManager('x', { logs: 'silent' });
await m.register({ id: 'terms', type: 'tool', entry: new URL('./terms.ts', import.meta.url) });
await m.register({
  id: 'duplicates',
  type: 'tool',
  entry: new URL('./duplicates.ts', import.meta.url),
});
await m.register({ id: 'collect', type: 'tool', entry: new URL('./collect.ts', import.meta.url) });
await m.up();
for (let r = 0; r < 2; r++) {
  let t = performance.now();
  for (const p of parsed) await m.execute('terms', { prose: p.prose });
  console.log('terms', performance.now() - t);
  t = performance.now();
  for (const p of parsed) await m.execute('duplicates', { text: fullText(p), crash: false });
  console.log('duplicates', performance.now() - t);
  t = performance.now();
  await Promise.all([
    ...parsed.map((p) => m.execute('duplicates', { text: fullText(p), crash: false })),
  ]);
  console.log('duplicates piped', performance.now() - t);
  t = performance.now();
  await Promise.all([
    ...parsed.map((p) => m.execute('duplicates', { text: fullText(p), crash: false })),
    ...parsed.map((p) => m.execute('terms', { prose: p.prose })),
  ]);
  console.log('both', performance.now() - t);
}
await m.close();
