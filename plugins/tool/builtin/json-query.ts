/** JSONPath queries within bounds: a few characters can ask for more work than anybody waits for. */
import { JSONPathEnvironment, jsonpath, type JSONPathQuery, type JSONValue } from 'json-p3';
import type { ToolCall } from 'troupe/plugin';

import { messageOf } from '../../coded-error.ts';
import { ToolError } from '../tool-error.ts';

export interface QueryBounds {
  resultsMax: number;
  /** Places that are looked at, and found, in all parts of the query. */
  stepsMax: number;
}

export interface QueryAnswer {
  results: { path: string; value: unknown }[];
  truncated: boolean;
}

/** Counts steps of a query; throws where there were too many. */
type Step = (count: number) => void;

/** Looking at the clock costs more than a step. */
const STEPS_A_CHECK = 256;

/** Of texts that are compared. */
const CHARS_A_STEP = 100;

type Expression = jsonpath.expressions.FilterExpression;

const { FilterSelector } = jsonpath.selectors;
const { FunctionExtension, InfixExpression, LogicalExpression, PrefixExpression } =
  jsonpath.expressions;
const { RelativeQuery, RootQuery } = jsonpath.expressions;

/** @throws ToolError `JSON_PATH`, `JSON_QUERY_TOO_LARGE`; the call's own where its time is over. */
export function query(
  path: string,
  document: JSONValue,
  { resultsMax, stepsMax }: QueryBounds,
  call: ToolCall,
): QueryAnswer {
  const environment = new JSONPathEnvironment();
  // their patterns would run in an engine that a hostile one keeps busy for years
  for (const name of ['match', 'search']) environment.functionRegister.delete(name);
  const results: QueryAnswer['results'] = [];
  try {
    const compiled = environment.compile(path);
    count(compiled, stepCounter(stepsMax, call));
    for (const node of compiled.lazyQuery(document)) {
      call.checkpoint();
      if (results.length >= resultsMax) return { results, truncated: true };
      results.push({ path: node.getPath(), value: node.value });
    }
  } catch (error) {
    if (call.signal.aborted || error instanceof ToolError) throw error;
    throw new ToolError('JSON_PATH', `the query failed: ${messageOf(error)}`);
  }
  return { results, truncated: false };
}

function stepCounter(max: number, call: ToolCall): Step {
  let steps = 0;
  let checkedAt = 0;
  return (count) => {
    steps += count;
    if (steps > max) {
      throw new ToolError(
        'JSON_QUERY_TOO_LARGE',
        `the query takes more than ${String(max)} steps on this document: narrow it, or nest ` +
          "fewer filters and '..'",
      );
    }
    if (steps - checkedAt < STEPS_A_CHECK) return;
    checkedAt = steps;
    call.checkpoint();
  };
}

/**
 * The library has no hook for it: so each selector of the compiled query, also of those in its
 * filters, counts where it looks and what it finds, and each value that a filter takes its size.
 */
function count({ segments }: JSONPathQuery, step: Step): void {
  for (const selector of segments.flatMap(({ selectors }) => selectors)) {
    const resolve = selector.resolve.bind(selector);
    selector.resolve = (node) => {
      step(1);
      const found = resolve(node);
      step(found.length);
      return found;
    };
    if (selector instanceof FilterSelector) countExpression(selector.expression, step);
  }
}

function countExpression(expression: Expression, step: Step): void {
  if (expression instanceof LogicalExpression) {
    // once for each place that a filter looks at
    const evaluate = expression.evaluate.bind(expression);
    expression.evaluate = (context) => {
      step(1);
      return evaluate(context);
    };
    countExpression(expression.expression, step);
  } else if (expression instanceof RelativeQuery || expression instanceof RootQuery) {
    // what it gives is compared, or its keys are counted
    const evaluate = expression.evaluate.bind(expression);
    expression.evaluate = (context) => {
      const found = evaluate(context);
      if (found.length === 1) step(sizeOf(found.nodes[0]?.value));
      return found;
    };
    count(expression.path, step);
  } else if (expression instanceof InfixExpression) {
    countExpression(expression.left, step);
    countExpression(expression.right, step);
  } else if (expression instanceof PrefixExpression) countExpression(expression.right, step);
  else if (expression instanceof FunctionExtension) {
    for (const argument of expression.args) countExpression(argument, step);
  }
}

const sizes = new WeakMap<object, number>();

/** How many values are in it, all of them; a long text counts as several. */
function sizeOf(whole: unknown): number {
  const isContainer = typeof whole === 'object' && whole !== null;
  const known = isContainer ? sizes.get(whole) : undefined;
  if (known !== undefined) return known;
  let size = 0;
  const left = [whole];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    size += typeof value === 'string' ? 1 + value.length / CHARS_A_STEP : 1;
    if (typeof value !== 'object' || value === null) continue;
    for (const part of Object.values(value)) left.push(part);
  }
  if (isContainer) sizes.set(whole, size);
  return size;
}
