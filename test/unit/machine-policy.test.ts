import { describe, expect, it } from 'vitest';

import { DEFAULT_RESTART, type RestartOptions } from '../../src/protocol/limits.ts';
import { callsOf, stateOf, transition, type Machine } from '../../src/supervisor/machine.ts';
import { ENV, EVENTS, FAULT, inWords, PHASES, type EventName } from '../support/lifecycle.ts';

const RESTARTED = 'restarting/loading: restarting, spawn';
const DOWN = 'failed(fault): drop fault, settle fault';
const GONE = 'unloaded wants unloaded: drop PLUGIN_STOPPED, settle fault';
const GAVE_UP = 'failed(fault): gave-up, drop fault, settle fault';

describe('a plugin that ended while it served', () => {
  const serving = ['running', 'pausing', 'paused', 'resuming', 'restarting/starting'];
  const outcomes: [RestartOptions['type'], EventName, string][] = [
    ['permanent', 'exits', RESTARTED],
    ['permanent', 'shuts-down', RESTARTED],
    ['permanent', 'crashes', RESTARTED],
    ['transient', 'exits', GONE],
    ['transient', 'shuts-down', GONE],
    ['transient', 'crashes', RESTARTED],
    ['temporary', 'exits', GONE],
    ['temporary', 'shuts-down', GONE],
    ['temporary', 'crashes', DOWN],
  ];

  it.each(outcomes)('a %s one that %s is %s', (type, event, outcome) => {
    for (const name of serving) {
      const before = phase(name);
      const env = { ...ENV, restart: { ...DEFAULT_RESTART, type } };
      expect([name, inWords(before, transition(before, EVENTS[event], env))]).toEqual([
        name,
        outcome,
      ]);
    }
  });

  it('is given up when it was restarted too often', () => {
    for (const name of serving) {
      const before = {
        ...phase(name),
        history: { restarts: [ENV.now, ENV.now, ENV.now], streak: 3 },
      };
      expect([name, inWords(before, transition(before, EVENTS.crashes, ENV))]).toEqual([
        name,
        GAVE_UP,
      ]);
    }
  });

  it('waits out the backoff where it crashed again soon', () => {
    const before = { ...phase('running'), history: { restarts: [ENV.now - 1], streak: 1 } };
    const step = transition(before, EVENTS.crashes, ENV);
    expect(inWords(before, step)).toBe('restarting/waiting: restarting, retry in 100');
    expect(step.effects[0]).toEqual({ do: 'tell', event: 'restarting', data: { delayMs: 100 } });
    expect(step.machine.history).toEqual({ restarts: [ENV.now - 1, ENV.now + 100], streak: 2 });
  });

  it('is restarted with a clean slate by hand after it failed', () => {
    const before = { ...phase('failed'), history: { restarts: [ENV.now], streak: 3 } };
    const { machine } = transition(before, EVENTS.restart, ENV);
    expect(machine.history).toEqual({ restarts: [], streak: 0 });
  });
});

describe('a restart that goes wrong', () => {
  const steps = ['restarting/loading', 'restarting/initializing', 'restarting/pausing'];

  it('counts as a restart: it is tried again, then given up', () => {
    for (const name of steps) {
      const full = { restarts: [ENV.now, ENV.now, ENV.now], streak: 3 };
      const before = { ...phase(name), history: full };
      const words = inWords(before, transition(before, EVENTS.fails, ENV));
      expect([name, words]).toEqual([
        name,
        'failed(fault): end, gave-up, drop fault, settle fault',
      ]);
    }
  });

  it('says why it was given up', () => {
    const { effects } = transition(phase('restarting/loading'), EVENTS['fails-for-good'], ENV);
    expect(effects).toContainEqual({
      do: 'tell',
      event: 'gave-up',
      data: { why: 'permanent-error' },
    });
    const often = {
      ...phase('running'),
      history: { restarts: [ENV.now, ENV.now, ENV.now], streak: 3 },
    };
    expect(transition(often, EVENTS.crashes, ENV).effects).toContainEqual({
      do: 'tell',
      event: 'gave-up',
      data: { why: 'too-often' },
    });
  });
});

describe('a refused verb', () => {
  it('names the verb, the state and the state it needs', () => {
    const { machine, effects } = transition(phase('loaded'), EVENTS.start, ENV);
    expect(machine).toBe(PHASES['loaded']);
    expect(effects).toEqual([{ do: 'settle', error: expect.any(Error) as Error }]);
    const [settle] = effects;
    const error = settle?.do === 'settle' ? settle.error : FAULT;
    expect(error).toMatchObject({
      code: 'INVALID_STATE',
      pluginId: 'p',
      data: { verb: 'start', state: 'loaded', needs: 'initialized' },
    });
    expect(error?.message).toBe(
      'cannot start p: it is loaded, and start needs initialized; call init first',
    );
  });
});

describe('what users see', () => {
  /** Phase, state, and whether calls are accepted and flow. */
  const views: [string, string, 'refused' | 'waits' | 'flows'][] = [
    ['unloaded', 'unloaded', 'refused'],
    ['loading', 'loading', 'refused'],
    ['loaded', 'loaded', 'refused'],
    ['initializing', 'loaded', 'refused'],
    ['initialized', 'initialized', 'refused'],
    ['starting', 'initialized', 'refused'],
    ['running', 'running', 'flows'],
    ['pausing', 'running', 'waits'],
    ['paused', 'paused', 'waits'],
    ['resuming', 'paused', 'waits'],
    ['stopping', 'running', 'refused'],
    ['unloading', 'paused', 'refused'],
    ['restarting/stopping', 'restarting', 'waits'],
    ['restarting/halting', 'restarting', 'waits'],
    ['restarting/waiting', 'restarting', 'waits'],
    ['restarting/loading', 'restarting', 'waits'],
    ['restarting/initializing', 'restarting', 'waits'],
    ['restarting/starting', 'restarting', 'waits'],
    ['restarting/pausing', 'restarting', 'waits'],
    ['failed', 'failed', 'refused'],
  ];

  it.each(views)('%s is shown as %s; a call %s', (name, state, call) => {
    const accepted = call !== 'refused';
    expect(stateOf(phase(name))).toBe(state);
    expect(callsOf(phase(name))).toEqual({ accepted, flowing: call === 'flows' });
  });

  it('a plugin that goes down is shown as what it was until it is there', () => {
    const leaving: [string, EventName, string][] = [
      ['loaded', 'unload', 'loaded'],
      ['initialized', 'unload', 'initialized'],
      ['running', 'unload', 'running'],
      ['paused', 'unload', 'paused'],
      ['running', 'stop', 'running'],
      ['paused', 'stop', 'paused'],
    ];
    for (const [name, verb, state] of leaving) {
      const { machine } = transition(phase(name), EVENTS[verb], ENV);
      expect([name, stateOf(machine)]).toEqual([name, state]);
    }
  });
});

function phase(name: string): Machine {
  const machine = PHASES[name];
  if (!machine) throw new Error(`no phase ${name}`);
  return machine;
}

describe('a thread of many that ended', () => {
  const lost = { type: 'thread-died', end: 'abnormal', error: FAULT } as const;

  it('is replaced while the plugin serves, and charged to its budget at once', () => {
    for (const name of ['running', 'pausing', 'paused', 'resuming']) {
      const before = { ...phase(name), history: { restarts: [ENV.now - 1], streak: 1 } };
      const { machine, effects } = transition(before, lost, ENV);
      expect({ phase: machine.phase, effects }).toEqual({ phase: before.phase, effects: [] });
      expect(machine.history).toEqual({ restarts: [ENV.now - 1, ENV.now], streak: 2 });
    }
  });

  it('ends the plugin where it was one too many, or none is wanted back', () => {
    const history = { restarts: [ENV.now, ENV.now, ENV.now], streak: 3 };
    const often = { ...phase('running'), history };
    expect(inWords(often, transition(often, lost, ENV))).toBe(
      'failed(fault): end, gave-up, drop fault, settle fault',
    );
    const env = { ...ENV, restart: { ...DEFAULT_RESTART, type: 'temporary' as const } };
    const once = phase('running');
    expect(inWords(once, transition(once, lost, env))).toBe(
      'failed(fault): end, drop fault, settle fault',
    );
  });

  it('ends one that does not serve yet, and is nothing to one that is on its way', () => {
    for (const name of ['loaded', 'initialized']) {
      const before = phase(name);
      expect(inWords(before, transition(before, lost, ENV))).toBe('failed(fault): end');
    }
    for (const name of ['stopping', 'unloading', 'failed', 'unloaded']) {
      const before = phase(name);
      expect(transition(before, lost, ENV)).toEqual({ machine: before, effects: [] });
    }
  });
});
