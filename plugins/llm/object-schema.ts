/** Answers that have to fit a JSON Schema. */
import * as formats from 'ajv-formats';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonSchema } from 'troupe/plugin';

import { messageOf } from '../coded-error.ts';
import { LlmError } from './llm-error.ts';

/** Compiled schemas that are kept: programs ask for the same few again and again. */
const KEPT_MAX = 100;

const PROBLEMS_MAX = 10;

/** Says the value, or in words why the text is none that fits. */
export type Fitting = (text: string) => { object: unknown } | { problem: string };

export class ObjectSchemas {
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false });
  readonly #kept = new Map<string, ValidateFunction>();

  constructor() {
    formats.default.default(this.#ajv);
  }

  /** @throws LlmError `LLM_INVALID_INPUT` for a schema that is none. */
  fitting(schema: JsonSchema): Fitting {
    const validate = this.#compiled(schema);
    return (text) => {
      let object: unknown;
      try {
        object = JSON.parse(bare(text));
      } catch {
        return { problem: 'it is no JSON' };
      }
      return validate(object) ? { object } : { problem: problemsOf(validate.errors ?? []) };
    };
  }

  #compiled(schema: JsonSchema): ValidateFunction {
    const key = JSON.stringify(schema);
    const known = this.#kept.get(key);
    if (known) return known;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
    const compiled = this.#compile(schema);
    this.#kept.set(key, compiled);
    return compiled;
  }

  #compile(schema: JsonSchema): ValidateFunction {
    // older drafts name a meta schema that is not loaded; what they say means the same here
    const { $schema: _, $id: _id, ...rest } = schema;
    try {
      return this.#ajv.compile(rest);
    } catch (error) {
      const why = messageOf(error);
      throw new LlmError('LLM_INVALID_INPUT', `the input is not valid: "schema": ${why}`);
    } finally {
      // it keeps every schema it has seen
      this.#ajv.removeSchema(rest);
    }
  }
}

/** Models like to put JSON into a block of Markdown. */
function bare(text: string): string {
  const fenced = /^\s*```(?:json)?\s*\n([^]*?)\n?\s*```\s*$/.exec(text);
  return fenced?.[1] ?? text;
}

function problemsOf(errors: readonly ErrorObject[]): string {
  const said = errors
    .slice(0, PROBLEMS_MAX)
    .map(
      ({ instancePath, message = 'does not fit' }) => `${instancePath || 'the whole'} ${message}`,
    );
  return [...new Set(said)].join('; ');
}
