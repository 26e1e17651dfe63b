/** Refuses what a command does not know. (citty takes every option and every number of arguments.) */
import { parseArgs } from 'node:util';

import type { ArgsDef } from 'citty';

import { usageError } from './cli-error.ts';
import { nearest } from './nearest.ts';

/** @throws CliError for an unknown option, a missing value, or an argument too many or too few. */
export function checkArguments(rawArgs: readonly string[], definitions: ArgsDef): void {
  const all = Object.entries(definitions);
  const positionals = all.filter(([, { type }]) => type === 'positional');
  const known = new Map(
    all.flatMap(([name, { type }]) =>
      type === 'positional' ? [] : [[name, type === 'boolean' ? 'boolean' : 'string'] as const],
    ),
  );
  const given: string[] = [];
  for (const token of tokensOf(rawArgs, known)) {
    if (token.kind === 'positional') given.push(token.value);
    if (token.kind === 'option') checkOption(token, known);
  }
  const missing = positionals[given.length];
  if (missing && missing[1].required !== false) {
    throw usageError(`<${missing[0]}> is missing: ${missing[1].description ?? ''}`);
  }
  const surplus = given[positionals.length];
  if (surplus !== undefined) throw usageError(`one argument too many: ${surplus}`);
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

type Kinds = ReadonlyMap<string, 'boolean' | 'string'>;

function tokensOf(rawArgs: readonly string[], known: Kinds) {
  const options = Object.fromEntries([...known].map(([name, type]) => [name, { type }]));
  const settings = { args: [...rawArgs], options, strict: false, allowPositionals: true };
  return parseArgs({ ...settings, tokens: true }).tokens;
}

function checkOption({ name, rawName, value, inlineValue }: OptionToken, known: Kinds): void {
  const kind = known.get(name);
  if (kind === undefined) {
    const close = nearest(name, known.keys());
    throw usageError(`unknown option ${rawName}${close ? `; did you mean --${close}?` : ''}`);
  }
  if (kind === 'boolean' && value !== undefined) throw usageError(`${rawName} takes no value`);
  // `--inputs --json`: the file was forgotten, not called --json
  const isForgotten = inlineValue !== true && /^-./.test(value ?? '');
  if (kind === 'string' && (!value || isForgotten)) throw usageError(`${rawName} needs a value`);
}
