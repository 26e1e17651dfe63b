/** A life in a child process: the only place that starts one. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import os from 'node:os';
import process from 'node:process';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { PluginError } from '../protocol/errors.ts';
import { PIPE_DRAIN_MS, WINDOW_CALLS } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { boardBytes, SignalBoard } from '../protocol/signal-board.ts';
import { FileWords } from '../transport/board-file.ts';
import { wrapControl } from '../transport/control-port.ts';
import { openPipe } from '../transport/pipe.ts';
import { STDIO, streamWriter } from '../transport/process-pipe.ts';
import { bare } from './bare.ts';
import { permittedTo } from './host-permission.ts';
import { killAtExit } from './kill-at-exit.ts';
import { openLifeLink, ringing } from './life-link.ts';
import { bootDataOf, type Life, type LifeRequest } from './life.ts';
import { accessToLoad } from './load-paths.ts';
import { Obituary } from './obituary.ts';
import { permissionFlags } from './permission-flags.ts';
import { processDiagnosis } from './process-diagnosis.ts';
import { RawOutput } from './raw-output.ts';
import { watchResidentMemory } from './resident-memory.ts';

const ENTRY = fileURLToPath(
  new URL(
    `../../workers/process.${import.meta.url.endsWith('.ts') ? 'ts' : 'cjs'}`,
    import.meta.url,
  ),
);

/** @throws PluginError `START_FAILED` where the system starts no process. */
export function createProcess(request: LifeRequest): Life {
  const { plan, generation, events } = request;
  const words = createWords(plan);
  const board = new SignalBoard(words);
  board.hold({ park: false });
  const { child, pid, toChild, fromChild } = start(request, words);
  const obituary = new Obituary((message) => {
    end('killed', message);
  });
  for (const stream of [toChild, fromChild]) {
    stream.once('end', () => {
      obituary.leaving('it closed a pipe of the runtime');
    });
  }
  // nothing comes there but its end
  toChild.resume();
  const output = new RawOutput(plan, (line) => {
    events.log(line);
  });
  output.read(child.stdout, 'stdout');
  output.read(child.stderr, 'stderr');
  const gone = whenGone(child);
  void gone.then(({ exitCode, signal }) => {
    obituary.close(exitCode, output.causeOf(exitCode, signal));
  });
  const end: Life['end'] = (reason, message) => {
    obituary.expect(reason, message);
    child.kill('SIGKILL');
    obituary.closeInTime(reason, async () => {
      child.unref();
      await gone;
    });
  };
  const { bus, control } = openPipe({
    from: fromChild,
    write: streamWriter(toChild),
    onBroken: (what) => {
      end('killed', `it wrote what is no message into the pipe of the runtime: ${what}`);
    },
  });
  const { memoryMb } = plan.limits;
  const stopWatch =
    memoryMb === undefined
      ? undefined
      : watchResidentMemory(pid, memoryMb, (reading, limitBytes, message) => {
          events.overMemory(reading, limitBytes);
          end('memory-limit', message);
        });
  const spare = killAtExit(child);
  void obituary.died.then(() => {
    stopWatch?.();
    spare();
    words.close();
    control.close();
    toChild.destroy();
    fromChild.destroy();
  });
  control.postMessage(bootDataOf(request));
  const actor = wrapControl(control);
  const carrier = plan.host === 'wasm' ? ringing(bus, board) : bus;
  const link = openLifeLink(carrier, request, obituary, (exitCode) => {
    obituary.close(exitCode, output.causeOf(exitCode, null));
    // nor may its exit handlers keep it
    child.kill('SIGKILL');
  });
  return {
    generation,
    startedAt: Date.now(),
    link,
    links: [link],
    board,
    control: actor,
    died: obituary.died,
    end,
    utilization: () => undefined,
    idleMs: () => 0,
    stack: () => Promise.resolve(undefined),
    diagnosis: processDiagnosis(actor),
  };
}

function createWords({ metadata: { id } }: PluginPlan): FileWords {
  try {
    return FileWords.create(boardBytes(WINDOW_CALLS));
  } catch (cause) {
    const what = `${id} cannot be started: a process needs a file in ${os.tmpdir()}, and none can be made there`;
    throw new PluginError('START_FAILED', what, { pluginId: id, cause });
  }
}

interface Started {
  child: ChildProcess;
  pid: number;
  toChild: Duplex;
  fromChild: Readable;
}

function start(request: LifeRequest, words: FileWords): Started {
  const { id } = request.plan.metadata;
  const child = spawnWith(words, request);
  // a process that could not be started says so; one that is gone cannot be ended
  child.on('error', () => undefined);
  const { pid } = child;
  if (pid === undefined) {
    words.close();
    const what = `the system could not start a process for ${id}: is it out of processes, memory or file descriptors?`;
    throw new PluginError('START_FAILED', what, { pluginId: id });
  }
  const { [STDIO.toChild]: toChild, [STDIO.fromChild]: fromChild } = child.stdio;
  // it may be gone while something is sent to it
  for (const stream of [toChild, fromChild]) stream?.on('error', () => undefined);
  return { child, pid, toChild: toChild as Duplex, fromChild: fromChild as Readable };
}

function spawnWith(words: FileWords, request: LifeRequest): ChildProcess {
  const { metadata, env } = request.plan;
  try {
    return permittedTo('start a process', metadata.id, () =>
      spawn(
        process.execPath,
        [...flagsOf(request), ENTRY],
        bare<SpawnOptions>({
          // Node passes on also what it inherits
          env: bare({ ...env }),
          stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', words.descriptor],
          windowsHide: true,
        }),
      ),
    );
  } catch (error) {
    words.close();
    throw error;
  }
}

function flagsOf(request: LifeRequest): string[] {
  const { access, wasm, limits } = request.plan;
  const { memoryMb, stackMb } = limits;
  return [
    ...(access ? permissionFlags(accessToLoad(access, request)) : []),
    // a guest opens what the host gives it; JavaScript beside it could open any folder
    ...(access && wasm?.wasi && !wasm.hostFunctions ? ['--allow-wasi'] : []),
    ...(memoryMb === undefined ? [] : [`--max-old-space-size=${String(Math.ceil(memoryMb))}`]),
    ...(stackMb === undefined ? [] : [`--stack-size=${String(Math.floor(stackMb * STACK_KB))}`]),
  ];
}

/** V8 is given a little less than the stack has. */
const STACK_KB = 984;

interface ProcessEnd {
  exitCode: number | undefined;
  signal: NodeJS.Signals | null;
}

/** Settles when it has ended and its last words were read, or a process of its own keeps them open. */
function whenGone(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      const end = { exitCode: exitCode ?? undefined, signal };
      const late = setTimeout(resolve, PIPE_DRAIN_MS, end);
      child.once('close', () => {
        clearTimeout(late);
        resolve(end);
      });
    });
  });
}
