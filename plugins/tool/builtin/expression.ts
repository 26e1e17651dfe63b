/**
 * Arithmetic from a text: a recursive descent that computes while it reads. It knows numbers,
 * operators, constants and functions of its own lists, and nothing else.
 *
 *   sum = product (('+' | '-') product)*      product = unary (('*' | '/' | '%') unary)*
 *   unary = ('+' | '-') unary | power         power = value (('^' | '**') unary)?
 *   value = number | constant | function '(' sum (',' sum)* ')' | '(' sum ')'
 */
import { ToolError } from '../tool-error.ts';
import { CONSTANTS, FUNCTIONS } from './math.ts';

export const EXPRESSION_CHARS_MAX = 10_000;
/** Of parentheses, signs and powers inside each other. */
const DEPTH_MAX = 200;

const TOKEN = /\s*(?:((?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)|([a-z]\w*)|(\*\*|[-+*/%^(),]))/iy;

interface Token {
  kind: 'number' | 'name' | 'sign' | 'end';
  text: string;
  at: number;
}

/** @throws ToolError `CALC_SYNTAX`, with the place, or `CALC_NOT_FINITE`. */
export function evaluate(expression: string): number {
  if (expression.length > EXPRESSION_CHARS_MAX) {
    throw new ToolError(
      'CALC_SYNTAX',
      `the expression has more than ${String(EXPRESSION_CHARS_MAX)} characters`,
    );
  }
  const value = new Reader(expression).whole();
  if (Number.isFinite(value)) return value;
  const what = Number.isNaN(value)
    ? 'has no value that is a number'
    : 'is too large, or divides by 0';
  throw new ToolError('CALC_NOT_FINITE', `the expression ${what}`);
}

class Reader {
  readonly #text: string;
  #token: Token;
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#read();
  }

  whole(): number {
    const value = this.#sum();
    if (this.#token.kind !== 'end') throw this.#unexpected('an operator');
    return value;
  }

  #sum(): number {
    let value = this.#product();
    for (;;) {
      if (this.#takes('+')) value += this.#product();
      else if (this.#takes('-')) value -= this.#product();
      else return value;
    }
  }

  #product(): number {
    let value = this.#unary();
    for (;;) {
      if (this.#takes('*')) value *= this.#unary();
      else if (this.#takes('/')) value /= this.#unary();
      else if (this.#takes('%')) value %= this.#unary();
      else return value;
    }
  }

  /** Weaker than a power: -2^2 is -4. */
  #unary(): number {
    return this.#deeper(() => {
      if (this.#takes('-')) return -this.#unary();
      return this.#takes('+') ? this.#unary() : this.#power();
    });
  }

  /** From the right: 2^3^2 is 512. */
  #power(): number {
    const base = this.#value();
    return this.#takes('^') || this.#takes('**') ? base ** this.#unary() : base;
  }

  #value(): number {
    const { kind, text } = this.#token;
    if (kind === 'number') {
      this.#advance();
      return Number(text);
    }
    if (kind === 'name') return this.#named();
    if (!this.#takes('(')) throw this.#unexpected('a number');
    const value = this.#sum();
    this.#expect(')');
    return value;
  }

  #named(): number {
    const { text, at } = this.#token;
    const name = text.toLowerCase();
    this.#advance();
    if (!this.#takes('(')) {
      const constant = CONSTANTS.get(name);
      if (constant !== undefined) return constant;
      const known = [...CONSTANTS.keys()].join(', ');
      const isFunction = FUNCTIONS.has(name);
      throw this.#problem(
        at,
        isFunction
          ? `${name} needs its arguments in ( )`
          : `no constant '${text}'; there are ${known}`,
      );
    }
    const fn = FUNCTIONS.get(name);
    if (!fn) {
      throw this.#problem(
        at,
        `no function '${text}'; there are ${[...FUNCTIONS.keys()].join(', ')}`,
      );
    }
    const args = [this.#sum()];
    while (this.#takes(',')) args.push(this.#sum());
    this.#expect(')');
    if (args.length >= fn.min && args.length <= fn.max) return fn.of(...args);
    const many = fn.min === fn.max ? String(fn.min) : `${String(fn.min)} to ${String(fn.max)}`;
    throw this.#problem(at, `${name} takes ${many} arguments, not ${String(args.length)}`);
  }

  #deeper(work: () => number): number {
    this.#depth++;
    if (this.#depth > DEPTH_MAX) {
      throw this.#problem(this.#token.at, `more than ${String(DEPTH_MAX)} levels`);
    }
    const value = work();
    this.#depth--;
    return value;
  }

  #takes(sign: string): boolean {
    if (this.#token.kind !== 'sign' || this.#token.text !== sign) return false;
    this.#advance();
    return true;
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) throw this.#unexpected(`'${sign}'`);
  }

  #advance(): void {
    this.#token = this.#read();
  }

  #read(): Token {
    TOKEN.lastIndex = this.#next;
    const found = TOKEN.exec(this.#text);
    if (found) {
      this.#next = TOKEN.lastIndex;
      const [all, number, name, sign] = found;
      const text = number ?? name ?? sign ?? '';
      const kind = number === undefined ? (name === undefined ? 'sign' : 'name') : 'number';
      return { kind, text, at: found.index + all.length - text.length };
    }
    const rest = this.#text.slice(this.#next);
    const at = this.#next + rest.length - rest.trimStart().length;
    if (rest.trim() === '') return { kind: 'end', text: 'the end', at };
    throw this.#problem(at, `'${firstOf(rest.trimStart())}' is not arithmetic`);
  }

  #unexpected(wanted: string): ToolError {
    const { kind, text, at } = this.#token;
    return this.#problem(at, `expected ${wanted}, found ${kind === 'end' ? text : `'${text}'`}`);
  }

  #problem(at: number, what: string): ToolError {
    return new ToolError('CALC_SYNTAX', `at character ${String(at + 1)}: ${what}`);
  }
}

function firstOf(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0);
}
