import { describe, expect, it } from 'vitest';

import { transition } from '../../src/supervisor/machine.ts';
import { ENV, EVENTS, inWords, PHASES, type EventName } from '../support/lifecycle.ts';

/**
 * Every phase with every event, with a permanent restart and no restarts behind it. Verbs are
 * serialised, so one that comes in the middle of another is a fault of ours and is refused.
 * `fault` is the error the event brings, `kept` one from before; `same` is the phase it was. A life
 * that is ended is nobody's at once, unless its end is `awaited`.
 */
const TABLE = `
unloaded
  load                                                 = loading wants loaded: spawn
  unload                                               = same: settle
  init start pause resume stop restart                 = refused
  done fails fails-for-good overdue                    = ignored
  exits shuts-down crashes retry                       = ignored
  halt give-up                                         = ignored
  revive                                               = restarting/loading wants running: spawn
loading
  load init start pause resume stop unload restart     = refused
  done                                                 = loaded: settle
  fails fails-for-good overdue                         = failed(fault): end, settle fault
  exits shuts-down crashes                             = failed(fault): settle fault
  retry                                                = ignored
  halt revive give-up                                  = ignored
loaded
  load                                                 = same: settle
  init                                                 = initializing wants initialized: init
  unload                                               = unloading wants unloaded: shutdown unload
  start pause resume stop restart                      = refused
  exits shuts-down                                     = unloaded wants unloaded
  crashes                                              = failed(fault)
  done fails fails-for-good overdue retry              = ignored
  halt revive give-up                                  = ignored
initializing
  load init start pause resume stop unload restart     = refused
  done                                                 = initialized: settle
  fails fails-for-good overdue                         = failed(fault): end, settle fault
  exits shuts-down crashes                             = failed(fault): settle fault
  retry                                                = ignored
  halt revive give-up                                  = ignored
initialized
  load init stop                                       = same: settle
  start                                                = starting wants running: start
  unload                                               = unloading wants unloaded: shutdown unload
  pause resume restart                                 = refused
  exits shuts-down                                     = unloaded wants unloaded
  crashes                                              = failed(fault)
  done fails fails-for-good overdue retry              = ignored
  halt revive give-up                                  = ignored
starting
  load init start pause resume stop unload restart     = refused
  done                                                 = running: settle
  fails fails-for-good overdue                         = failed(fault): end, settle fault
  exits shuts-down crashes                             = failed(fault): settle fault
  retry                                                = ignored
  halt revive give-up                                  = ignored
running
  load init start resume                               = same: settle
  pause                                                = pausing wants paused: pause
  stop                = stopping wants initialized: drop PLUGIN_STOPPED, shutdown stop
  unload              = unloading wants unloaded: drop PLUGIN_STOPPED, shutdown stop+unload
  restart                                              = restarting/stopping: shutdown stop+unload
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  done fails fails-for-good overdue retry              = ignored
  halt                                                 = restarting/halting: shutdown stop+unload
  revive give-up                                       = ignored
pausing
  load init start pause resume stop unload restart     = refused
  done                                                 = paused: settle
  fails fails-for-good overdue                         = running wants running: settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive give-up                                       = ignored
paused
  load init pause                                      = same: settle
  start                                                = refused
  resume                                               = resuming wants running: resume
  stop                = stopping wants initialized: drop PLUGIN_STOPPED, shutdown stop
  unload              = unloading wants unloaded: drop PLUGIN_STOPPED, shutdown stop+unload
  restart                                              = restarting/stopping: shutdown stop+unload
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  done fails fails-for-good overdue retry              = ignored
  halt                                                 = restarting/halting: shutdown stop+unload
  revive give-up                                       = ignored
resuming
  load init start pause resume stop unload restart     = refused
  done                                                 = running: settle
  fails fails-for-good overdue                         = paused wants paused: settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive give-up                                       = ignored
stopping
  load init start pause resume stop unload restart     = refused
  done                                                 = initialized: settle
  fails fails-for-good                                 = initialized: settle fault
  overdue                                     = unloaded wants unloaded: end, settle fault
  exits shuts-down crashes                             = failed(fault): settle fault
  retry                                                = ignored
  halt revive give-up                                  = ignored
unloading
  load init start pause resume stop unload restart     = refused
  done                                                 = same: end awaited
  fails fails-for-good overdue                         = unloading!(fault): end awaited
  exits shuts-down crashes                             = unloaded: settle
  retry                                                = ignored
  halt revive give-up                                  = ignored
unloading!
  load init start pause resume stop unload restart     = refused
  done                                                 = same: end awaited
  fails fails-for-good overdue                         = unloading!(fault): end awaited
  exits shuts-down crashes                             = unloaded: settle kept
  retry                                                = ignored
  halt revive give-up                                  = ignored
restarting/stopping
  load init                                            = same: settle
  start resume restart                                 = ignored
  pause                                                = same wants paused
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done fails fails-for-good overdue                    = same: end awaited
  exits shuts-down crashes                             = restarting/loading: spawn
  retry                                                = ignored
  halt                                                 = restarting/halting
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/halting
  load init                                            = same: settle
  start resume restart                                 = ignored
  pause                                                = same wants paused
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done fails fails-for-good overdue                    = same: end awaited
  retry                                                = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
  exits shuts-down crashes                             = restarting/waiting
  halt revive                                          = ignored
restarting/waiting
  load init                                            = same: settle
  start resume                                         = ignored
  restart                                              = restarting/loading: cancel-retry, spawn
  pause                                                = same wants paused
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  retry                                                = restarting/loading: spawn
  done fails fails-for-good overdue                    = ignored
  exits shuts-down crashes                             = ignored
  halt                                                 = ignored
  revive                                               = restarting/loading: spawn
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/loading
  load init                                            = same: settle
  start resume restart                                 = ignored
  pause                                                = same wants paused
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done                                                 = restarting/initializing: init
  fails overdue                                        = same: end, restarting, spawn
  fails-for-good               = failed(fault): end, gave-up, drop fault, settle fault
  exits shuts-down crashes                             = same: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/initializing
  load init                                            = same: settle
  start resume restart                                 = ignored
  pause                                                = same wants paused
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done                                                 = restarting/starting: start
  fails overdue                          = restarting/loading: end, restarting, spawn
  fails-for-good               = failed(fault): end, gave-up, drop fault, settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/starting
  load init                                            = same: settle
  start resume restart                                 = ignored
  pause                                                = same wants paused
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done                                                 = running: restarted, settle
  fails overdue                          = restarting/loading: end, restarting, spawn
  fails-for-good               = failed(fault): end, gave-up, drop fault, settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/starting to paused
  load init                                            = same: settle
  start resume                                         = same wants running
  pause restart                                        = ignored
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done                                                 = restarting/pausing: pause
  fails overdue                          = restarting/loading: end, restarting, spawn
  fails-for-good               = failed(fault): end, gave-up, drop fault, settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/pausing
  load init                                            = same: settle
  start resume                                         = same wants running
  pause restart                                        = ignored
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done                                                 = paused: restarted, settle
  fails overdue                          = restarting/loading: end, restarting, spawn
  fails-for-good               = failed(fault): end, gave-up, drop fault, settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/pausing to running
  load init                                            = same: settle
  start resume restart                                 = ignored
  pause                                                = same wants paused
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done                                                 = restarting/resuming: resume
  fails overdue                          = restarting/loading: end, restarting, spawn
  fails-for-good               = failed(fault): end, gave-up, drop fault, settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/resuming
  load init                                            = same: settle
  start resume restart                                 = ignored
  pause                                                = same wants paused
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done                                                 = running: restarted, settle
  fails overdue                          = restarting/loading: end, restarting, spawn
  fails-for-good               = failed(fault): end, gave-up, drop fault, settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
restarting/resuming to paused
  load init                                            = same: settle
  start resume                                         = same wants running
  pause restart                                        = ignored
  stop unload  = unloaded wants unloaded: cancel-retry, end, drop PLUGIN_STOPPED, settle
  done                                                 = restarting/pausing: pause
  fails overdue                          = restarting/loading: end, restarting, spawn
  fails-for-good               = failed(fault): end, gave-up, drop fault, settle fault
  exits shuts-down crashes                             = restarting/loading: restarting, spawn
  retry                                                = ignored
  halt                                                 = restarting/waiting: end
  revive                                               = ignored
  give-up                      = failed(fault): cancel-retry, end, drop fault, settle fault
failed
  load init start pause resume stop                    = refused
  unload                                               = unloaded wants unloaded: settle
  restart                                              = restarting/loading: spawn
  done fails fails-for-good overdue                    = ignored
  exits shuts-down crashes retry                       = ignored
  halt give-up                                         = ignored
  revive                                               = restarting/loading: spawn
`;

const ROWS = rowsOf(TABLE);

describe('the lifecycle machine', () => {
  it('is described for every phase and event, each pair once', () => {
    const described = ROWS.map(({ phase, event }) => `${phase} + ${event}`).toSorted();
    const all = Object.keys(PHASES).flatMap((phase) =>
      Object.keys(EVENTS).map((event) => `${phase} + ${event}`),
    );
    expect(described).toEqual(all.toSorted());
  });

  it.each(ROWS.map((row) => [titleOf(row), row] as const))('%s', (_, { phase, event, outcome }) => {
    const before = PHASES[phase];
    if (!before) throw new Error(`no phase ${phase}`);
    expect(inWords(before, transition(before, EVENTS[event], ENV))).toBe(outcome);
  });
});

interface Row {
  phase: string;
  event: EventName;
  outcome: string;
}

function titleOf({ phase, event, outcome }: Row): string {
  return `${phase} + ${event} = ${outcome}`;
}

function rowsOf(table: string): Row[] {
  let phase = '';
  return table.split('\n').flatMap((line): Row[] => {
    const [events, outcome] = line.split(' = ');
    if (outcome === undefined) {
      phase = line || phase;
      return [];
    }
    const names = (events ?? '').trim().split(/\s+/) as EventName[];
    return names.map((event) => ({ phase, event, outcome: outcome.trim() }));
  });
}
