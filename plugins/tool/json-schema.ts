/** Checks values by JSON Schema, with ajv: each schema is compiled once, when its tool is taken in. */
import type { ErrorObject, Options, ValidateFunction } from 'ajv';
import type { JsonSchema } from 'troupe/plugin';

import { nearest } from '../nearest.ts';
import type { Check } from './schema.ts';

/** Beyond so much JSON only the first problem is told: looking for all could be made expensive. */
const EXPLAINED_CHARS_MAX = 64 * 1024;

/** Takes schemas of one tools plugin. Remote references are not fetched. */
export interface JsonSchemas {
  /** @throws Error that says why the schema can't be compiled. */
  compile(schema: JsonSchema): Check;
}

export async function openJsonSchemas(): Promise<JsonSchemas> {
  const [{ Ajv }, { Ajv2019 }, { Ajv2020 }, formats] = await Promise.all([
    import('ajv'),
    import('ajv/dist/2019.js'),
    import('ajv/dist/2020.js'),
    import('ajv-formats'),
  ]);
  type Engine = InstanceType<typeof Ajv>;
  const engines = new Map<string, Engine>();
  const warnings: string[] = [];
  const engineOf = ({ $schema }: JsonSchema, allErrors: boolean): Engine => {
    const dialect = typeof $schema === 'string' ? $schema : '';
    const Class = dialect.includes('draft-07')
      ? Ajv
      : dialect.includes('2019-09')
        ? Ajv2019
        : Ajv2020;
    const key = `${Class.name} ${String(allErrors)}`;
    const engine = engines.get(key) ?? new Class(optionsOf(allErrors, warnings));
    if (!engines.has(key)) formats.default.default(engine);
    engines.set(key, engine);
    return engine;
  };
  const compile = (schema: JsonSchema, allErrors: boolean): ValidateFunction => {
    if (schema['$async'] !== undefined) throw new Error('"$async" is not supported');
    warnings.length = 0;
    const engine = engineOf(schema, allErrors);
    const validate = engine.compile(schema);
    refuseUnknownKeywords(warnings, engine);
    return validate;
  };
  return {
    compile(schema) {
      const first = compile(schema, false);
      let all: ValidateFunction | undefined;
      return (value) => {
        if (first(value)) return { value };
        if (isLarge(value)) return { problems: problemsOf(first.errors) };
        all ??= compile(schema, true);
        all(value);
        return { problems: problemsOf(all.errors ?? first.errors) };
      };
    },
  };
}

function optionsOf(allErrors: boolean, warnings: string[]): Options {
  const warn = (...told: unknown[]): void => void warnings.push(told.map(String).join(' '));
  return {
    allErrors,
    // values are the plugin's own copies
    useDefaults: true,
    // inherited names ('constructor') are no arguments
    ownProperties: true,
    strict: false,
    // told, not thrown: of what ajv finds strange, only unknown keywords are refused
    strictSchema: 'log',
    // the same $id may come twice
    addUsedSchema: false,
    logger: { log: warn, warn, error: warn },
    // an annotation of OpenAPI
    keywords: ['example'],
  };
}

/** A misspelt keyword checks nothing, silently: so it is refused. */
function refuseUnknownKeywords(
  warnings: readonly string[],
  engine: { RULES: { all: object; keywords: object } },
): void {
  for (const warning of warnings) {
    const keyword = /unknown keyword: "(.+?)"/.exec(warning)?.[1];
    if (keyword === undefined) continue;
    const known = nearest(keyword, Object.keys(engine.RULES.keywords));
    const hint = known === undefined ? '' : `; did you mean "${known}"?`;
    throw new Error(`unknown keyword "${keyword}"${hint}`);
  }
}

function isLarge(value: unknown): boolean {
  try {
    return (JSON.stringify(value) ?? '').length > EXPLAINED_CHARS_MAX;
  } catch {
    return true;
  }
}

function problemsOf(errors: readonly ErrorObject[] | null | undefined): string[] {
  return (errors ?? []).map(({ instancePath, message = 'is not valid', params }) => {
    const at = instancePath.slice(1).split('/').filter(Boolean).map(unescape).join('.');
    return `${at === '' ? '' : `${at}: `}${message}${detailOf(params)}`;
  });
}

/** What ajv's own message leaves out. */
function detailOf(params: Record<string, unknown>): string {
  if ('additionalProperty' in params) return ` ('${String(params['additionalProperty'])}')`;
  if ('unevaluatedProperty' in params) return ` ('${String(params['unevaluatedProperty'])}')`;
  if ('allowedValues' in params) return `: ${JSON.stringify(params['allowedValues'])}`;
  return 'allowedValue' in params ? `: ${JSON.stringify(params['allowedValue'])}` : '';
}

function unescape(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
