/** `calculator`: arithmetic, read by a parser of its own. */
import type { ToolDefinition } from 'troupe/plugin';

import { evaluate, EXPRESSION_CHARS_MAX } from './expression.ts';
import { CONSTANTS, FUNCTIONS } from './math.ts';

export function calculator(): ToolDefinition {
  return {
    name: 'calculator',
    description:
      'Computes an arithmetic expression in floating-point numbers. Operators: + - * / % ^ (or **) ' +
      `and ( ). Constants: ${[...CONSTANTS.keys()].join(', ')}. Functions: ` +
      `${[...FUNCTIONS.keys()].join(', ')}. Angles are in radians; log(x, base); round(x, decimals).`,
    input: {
      type: 'object',
      properties: {
        expression: {
          type: 'string',
          minLength: 1,
          maxLength: EXPRESSION_CHARS_MAX,
          description: 'For example (3 + 4) * sqrt(2)',
        },
      },
      required: ['expression'],
      additionalProperties: false,
    },
    execute({ expression }: Record<string, unknown>) {
      const value = evaluate(String(expression));
      // 0.1 + 0.2 as people write it
      return { value, text: String(Number(value.toPrecision(15))) };
    },
  };
}
