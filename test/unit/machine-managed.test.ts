/** The machine of a plugin that is a group's child: its ends are the group's to decide. */
import { describe, expect, it } from 'vitest';

import { DEFAULT_RESTART, type RestartOptions } from '../../src/protocol/limits.ts';
import { transition } from '../../src/supervisor/machine.ts';
import { ENV, EVENTS, inWords, PHASES, type EventName } from '../support/lifecycle.ts';

const SERVING = ['running', 'pausing', 'paused', 'resuming'];
const COMING_BACK = [
  'restarting/loading',
  'restarting/initializing',
  'restarting/starting',
  'restarting/pausing',
];

describe('a managed plugin', () => {
  it.each([
    ['permanent', 'exits', 'restarting/waiting: report normal'],
    ['permanent', 'shuts-down', 'restarting/waiting: report shutdown'],
    ['permanent', 'crashes', 'restarting/waiting: report abnormal'],
    ['transient', 'crashes', 'restarting/waiting: report abnormal'],
    [
      'transient',
      'exits',
      'unloaded wants unloaded: drop PLUGIN_STOPPED, settle fault, report normal',
    ],
    [
      'temporary',
      'exits',
      'unloaded wants unloaded: drop PLUGIN_STOPPED, settle fault, report normal',
    ],
    ['temporary', 'crashes', 'failed(fault): drop fault, settle fault, report abnormal'],
  ] as const)('that is %s and %s while it serves is %s', (type, event, outcome) => {
    for (const phase of SERVING)
      expect([phase, after(phase, event, type)]).toEqual([phase, outcome]);
  });

  it('that does not come back waits for the group, with its budget untouched', () => {
    for (const phase of COMING_BACK) {
      expect(after(phase, 'fails')).toBe('restarting/waiting: end, report abnormal');
      expect(after(phase, 'overdue')).toBe('restarting/waiting: end, report abnormal');
      expect(after(phase, 'fails-for-good')).toBe(
        'restarting/waiting: end, report abnormal for good',
      );
      expect(after(phase, 'crashes')).toBe('restarting/waiting: report abnormal');
    }
  });

  it('reports no end that its group ordered', () => {
    expect(after('restarting/halting', 'done')).toBe('same: end awaited');
    expect(after('restarting/halting', 'crashes')).toBe('restarting/waiting');
    expect(after('restarting/waiting', 'crashes')).toBe('ignored');
  });

  it('is restarted by hand, and stopped by hand, as any other', () => {
    expect(after('running', 'restart')).toBe('restarting/stopping: shutdown stop+unload');
    expect(after('restarting/stopping', 'exits')).toBe('restarting/loading: spawn');
    expect(after('restarting/waiting', 'unload')).toBe(
      'unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle',
    );
  });
});

function after(name: string, event: EventName, type: RestartOptions['type'] = 'permanent'): string {
  const before = PHASES[name];
  if (!before) throw new Error(`no phase ${name}`);
  const env = { ...ENV, managed: true, restart: { ...DEFAULT_RESTART, type } };
  return inWords(before, transition(before, EVENTS[event], env));
}
