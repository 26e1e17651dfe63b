/** A server on the loopback that remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

export interface HttpHost {
  port: number;
  /** Where it is, as `allowPrivate` has it. */
  place: string;
  url: string;
  /** In order. */
  asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  /** Exchanges that the other side ended before they were done. */
  readonly brokenOff: number;
}

/** Ends with the test. */
export async function httpHost(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HttpHost> {
  const asked: HttpHost['asked'] = [];
  let brokenOff = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, headers, body });
      answer(request, response);
    });
    response.on('close', () => {
      if (!response.writableFinished) brokenOff++;
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const place = `127.0.0.1:${String(port)}`;
  return {
    port,
    place,
    url: `http://${place}`,
    asked,
    get brokenOff() {
      return brokenOff;
    },
  };
}
