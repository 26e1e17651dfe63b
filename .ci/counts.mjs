// Prints the closing line, `N passed, N failed`, from the report that vitest wrote.
import { readFileSync } from 'node:fs';

const text = readFileSync(process.argv[2], 'utf8');
// No report: the set-up failed, and no test ran.
const report = text === '' ? { numPassedTests: 0, numFailedTests: 0 } : JSON.parse(text);
const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
const counts = [`${report.numPassedTests} passed`, `${report.numFailedTests} failed`];
if (skipped > 0) counts.push(`${skipped} skipped`);
console.log(counts.join(', '));
