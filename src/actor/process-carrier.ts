/** How an actor in a process of its own reaches its supervisor: two pipes, and a file of words. */
import { fstatSync } from 'node:fs';
import process from 'node:process';

import { PIPE_LOOK_MS } from '../protocol/limits.ts';
import type { BootData } from '../protocol/messages.ts';
import { SignalBoard } from '../protocol/signal-board.ts';
import { FileWords } from '../transport/board-file.ts';
import { openPipe, type MessageListener } from '../transport/pipe.ts';
import { blockingWriter, childInput, childInputNow, STDIO } from '../transport/process-pipe.ts';
import type { Carrier } from './boot.ts';

/** A terminal sends these to all processes of a job; when a plugin ends, its supervisor decides. */
const NOT_FOR_PLUGINS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @param boot called once it is known which plugin this is, before what follows is read. */
export function whenAssigned(boot: (carrier: Carrier) => void): void {
  for (const signal of NOT_FOR_PLUGINS) process.on(signal, () => undefined);
  watchPipes();
  const { bus, control } = openPipe({
    from: childInput(orphaned),
    readNow: childInputNow(orphaned),
    write: blockingWriter(STDIO.fromChild, orphaned),
    onBroken: orphaned,
  });
  const onBoot: MessageListener = ({ data }) => {
    control.removeEventListener('message', onBoot);
    boot({
      boot: data as BootData,
      board: new SignalBoard(new FileWords(STDIO.board)),
      transport: bus,
      control,
      isThread: false,
    });
  };
  control.addEventListener('message', onBoot);
}

/** A plugin may close what connects it, or open something else in its place: nothing says so by itself. */
function watchPipes(): void {
  const pipes = [STDIO.toChild, STDIO.fromChild].map((descriptor) => ({
    descriptor,
    is: inodeOf(descriptor),
  }));
  const look = (): void => {
    try {
      if (pipes.every(({ descriptor, is }) => inodeOf(descriptor) === is)) return;
    } catch {
      // closed
    }
    orphaned();
  };
  setInterval(look, PIPE_LOOK_MS).unref();
}

function inodeOf(descriptor: number): number {
  return fstatSync(descriptor).ino;
}

/** Nobody supervises it any more, and exit handlers of the plugin's could keep it alive. */
function orphaned(): void {
  process.kill(process.pid, 'SIGKILL');
}
