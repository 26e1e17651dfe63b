/** Which code a life begins with: the plugin's files, or what was kept of them when they have changed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { KeptCode } from '../protocol/kept-code.ts';
import type { BootData } from '../protocol/messages.ts';

export function withKeptCode(boot: BootData): BootData {
  const changed = Object.entries(boot.kept ?? {}).filter(([, kept]) => !isUnchanged(kept));
  if (changed.length === 0) return boot;
  const kept = new Map(changed.map(([url, { href }]) => [url, href]));
  const current = (url: string): string => kept.get(url) ?? url;
  const { entryUrl, modules, wasm } = boot;
  const hostFunctionsUrl = wasm?.hostFunctionsUrl;
  return {
    ...boot,
    entryUrl: current(entryUrl),
    modules: Object.fromEntries(Object.entries(modules).map(([name, url]) => [name, current(url)])),
    wasm: wasm && {
      ...wasm,
      hostFunctionsUrl: hostFunctionsUrl === undefined ? undefined : current(hostFunctionsUrl),
    },
    sourceMaps: true,
  };
}

function isUnchanged({ files }: KeptCode): boolean {
  return Object.entries(files).every(([file, sha256]) => hashOf(file) === sha256);
}

function hashOf(file: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return undefined;
  }
}
