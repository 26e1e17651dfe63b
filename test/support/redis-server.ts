/** A Redis server of the test's own: private, on a free port, in a temporary folder, ended by its own id. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { installRedis } from '../../.ci/redis.mjs';
import { eventually } from './eventually.ts';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it; what was written and not saved is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with nothing in it. */
  start(): Promise<void>;
  /** It takes connections, and answers nothing until it is told to go on. */
  freeze(): void;
  thaw(): void;
  /** One command, its words parted by spaces. */
  tell(command: string): Promise<string>;
  /** Ends it, and removes its folder. */
  remove(): Promise<void>;
}

/** Why there is no Redis here; said loudly, since tests are left out for it. */
export function redisMissing(): string | undefined {
  const missing = installRedis();
  if (missing) process.stderr.write(`\nSKIPPED: tests with a Redis server: ${missing}\n\n`);
  return missing;
}

export async function startRedis(...args: string[]): Promise<RedisServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'troupe-redis-'));
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  let child: ReturnType<typeof spawn> | undefined;
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${String(port)}`,
    async start() {
      child = spawn('redis-server', [...options, ...args], { stdio: 'ignore' });
      await eventually(() => answers(port));
    },
    async stop() {
      if (child?.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    freeze() {
      child?.kill('SIGSTOP');
    },
    thaw() {
      child?.kill('SIGCONT');
    },
    tell: (command) => tell(port, command),
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('there is no port');
  return address.port;
}

/** Rejects until it takes commands. */
async function answers(port: number): Promise<boolean> {
  // one that asks for a password takes them, too
  return /PONG|NOAUTH/.test(await tell(port, 'PING'));
}

async function tell(port: number, command: string): Promise<string> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    socket.write(`${command}\r\n`);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return reply.toString();
  } finally {
    socket.destroy();
  }
}
