/** Writes each tagged block of a Markdown file to `folder/NAME/FILE`; returns the names. */
export function writeExamples(markdownFile: string, folder: string): string[];
