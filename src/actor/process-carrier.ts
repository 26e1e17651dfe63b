/** How an actor in a process of its own reaches its supervisor: two pipes, and a file of words. */
import process from 'node:process';

import type { BootData } from '../protocol/messages.ts';
import { SignalBoard } from '../protocol/signal-board.ts';
import { FileWords } from '../transport/board-file.ts';
import { openPipe, type MessageListener } from '../transport/pipe.ts';
import { blockingWriter, childInput, STDIO } from '../transport/process-pipe.ts';
import type { Carrier } from './boot.ts';

/** A terminal sends these to all processes of a job; when a plugin ends, its supervisor decides. */
const NOT_FOR_PLUGINS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @param boot called once it is known which plugin this is, before what follows is read. */
export function whenAssigned(boot: (carrier: Carrier) => void): void {
  for (const signal of NOT_FOR_PLUGINS) process.on(signal, () => undefined);
  const { bus, control } = openPipe({
    from: childInput(orphaned),
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
    });
  };
  control.addEventListener('message', onBoot);
}

/** Nobody supervises it any more, and exit handlers of the plugin's could keep it alive. */
function orphaned(): void {
  process.kill(process.pid, 'SIGKILL');
}
