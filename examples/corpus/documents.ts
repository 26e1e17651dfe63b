/**
 * The input: every Markdown file below a folder, read once, in a fixed order.
 * Never analyses anything, and never follows a symbolic link.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

const MARKDOWN_FILE = /\.(md|markdown)$/i;

export interface Document {
  /** Relative to the folder searched, with `/` on every platform; names the document everywhere. */
  readonly path: string;
  readonly markdown: string;
}

export interface Corpus {
  /** One of each content, ordered by path. */
  readonly documents: readonly Document[];
  readonly files: number;
  readonly emptyFiles: number;
  /** Files left out because their bytes equal those of an earlier document. */
  readonly exactCopies: number;
  readonly bytes: number;
}

/** `documentsMax` bounds the documents, not the files looked at for them. */
export async function readCorpus(folder: string, documentsMax: number): Promise<Corpus> {
  const paths = await findMarkdown(folder);
  const documents: Document[] = [];
  const seen = new Set<string>();
  let emptyFiles = 0;
  let exactCopies = 0;
  let bytes = 0;
  let files = 0;
  for (const path of paths) {
    if (documents.length >= documentsMax) break;
    files++;
    const content = await readFile(join(folder, path));
    const markdown = content.toString('utf8');
    const digest = createHash('sha256').update(content).digest('base64');
    if (markdown.trim() === '') {
      emptyFiles++;
    } else if (seen.has(digest)) {
      exactCopies++;
    } else {
      seen.add(digest);
      bytes += content.length;
      documents.push({ path, markdown });
    }
  }
  return { documents, files, emptyFiles, exactCopies, bytes };
}

async function findMarkdown(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && MARKDOWN_FILE.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort(); // by code unit: the same order on every machine
}
