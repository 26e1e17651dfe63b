/** Inputs of the monitor, checked: unknown ops and wrong fields are refused by name. */
import { opOf } from '../input.ts';
import { Fields, wrong } from './fields.ts';
import { readQuery } from './query.ts';
import { readRule } from './read-rule.ts';
import type { MonitorInput, MonitorOp, Recording, SeriesKind } from './types.ts';

const KINDS: readonly SeriesKind[] = ['counter', 'gauge', 'histogram'];
const OPS = [
  'record',
  'query',
  'series',
  'rule',
  'rules',
  'unrule',
  'alerts',
] as const satisfies readonly MonitorOp[];

/** @throws MonitorError `MONITOR_INVALID_INPUT`. */
export function readInput(input: unknown): MonitorInput {
  const { op, fields: given } = opOf(input, OPS, wrong);
  const fields = new Fields(given, op);
  switch (op) {
    case 'record':
      return { op, ...readRecording(fields) };
    case 'query':
      return { op, ...readQuery(fields) };
    case 'series': {
      const name = fields.maybe('name', (field) => fields.metric(field));
      const labels = fields.labels('labels');
      fields.end();
      return { op, labels, ...(name === undefined ? {} : { name }) };
    }
    case 'rule':
      return { op, ...readRule(given) };
    case 'unrule': {
      const name = fields.text('name');
      fields.end();
      return { op, name };
    }
    case 'rules':
    case 'alerts':
      fields.end();
      return { op };
  }
}

function readRecording(fields: Fields): Required<Recording> {
  const name = fields.metric('name');
  if (name.startsWith('troupe_'))
    throw fields.fail('name', 'without troupe_, which is the kernel’s');
  const kind = fields.maybe('kind', (field) => fields.oneOf(field, KINDS)) ?? 'gauge';
  const value = kind === 'counter' ? fields.number('value', 0) : fields.number('value');
  const labels = fields.labels('labels');
  fields.end();
  return { name, kind, value, labels };
}
