/** The version of the package that this command belongs to. */
import { createRequire } from 'node:module';

export function troupeVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('troupe/package.json');
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
