import type { LookupAddress } from 'node:dns';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { sendHttp } from '../../src/kernel/http.ts';
import { wasmPlanOf } from '../../src/kernel/wasm-plan.ts';
import type { HttpRequest } from '../../src/protocol/wasm.ts';
import { planFor } from '../support/plan.ts';

const LOCAL = { address: '127.0.0.1', family: 4 };
/** Where nobody listens. */
const DEAF = { address: '::1', family: 6 };
const PUBLIC = { address: '93.184.216.34', family: 4 };

const addresses: { current: LookupAddress[] } = { current: [] };

vi.mock('node:dns/promises', () => ({ lookup: async () => addresses.current }));

interface Asking extends Partial<HttpRequest> {
  path?: string;
  /** Of the host that is asked. */
  found?: LookupAddress[];
  isPrivate?: boolean;
}

/** What a plugin is answered by this server. */
async function ask(
  listener: RequestListener,
  { found = [LOCAL], isPrivate = true, path = '/', ...more }: Asking = {},
): Promise<string> {
  addresses.current = found;
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const host = `service.test:${String(port)}`;
  const permissions = { http: [{ host, private: isPrivate }] };
  const entry = new URL('file:///guest.wasm');
  const spec = { id: 'guest', type: 'tool' as const, entry, permissions };
  const scope = { host: 'wasm' as const, entry, access: undefined, resolve: () => entry };
  const plan = { ...planFor('guest'), wasm: wasmPlanOf(spec, scope) };
  const given = { method: 'GET', headers: {}, body: undefined, ...more };
  const request = { ...given, url: `http://${host}${path}` };
  const { body } = await sendHttp(plan, request, new AbortController().signal);
  return Buffer.from(body).toString();
}

const answering: RequestListener = (_, response) => response.end('answered');

/** Redirects as often as the path says. */
const counting: RequestListener = ({ url = '' }, response) => {
  const left = Number(url.slice(1));
  if (left === 0) response.end('there');
  else response.writeHead(302, { location: `/${String(left - 1)}` }).end();
};

/** Answers with what it was sent. */
const telling: RequestListener = ({ headers }, response) => response.end(JSON.stringify(headers));

describe('a host of several addresses', () => {
  it('is reached where one of them answers', async () => {
    expect(await ask(answering, { found: [DEAF, LOCAL] })).toBe('answered');
  });

  it('is refused where one of them is private, and that is not permitted', async () => {
    const asked = ask(answering, { found: [PUBLIC, LOCAL], isPrivate: false });
    await expect(asked).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('is not found where there are none', async () => {
    const asked = ask(answering, { found: [] });
    await expect(asked).rejects.toMatchObject({ code: 'CALL_FAILED' });
  });
});

describe('a redirect', () => {
  it.each([
    [303, 'GET '],
    [307, 'POST body'],
  ])('%i is followed with %s', async (status, said) => {
    const listener: RequestListener = (request, response) => {
      if (request.url === '/') response.writeHead(status, { location: '/next' }).end();
      else {
        response.write(`${String(request.method)} `);
        request.pipe(response);
      }
    };
    const body = new TextEncoder().encode('body');
    expect(await ask(listener, { method: 'POST', body })).toBe(said);
  });

  it('is followed five times, and no more', async () => {
    expect(await ask(counting, { path: '/5' })).toBe('there');
    await expect(ask(counting, { path: '/6' })).rejects.toMatchObject({
      code: 'CALL_FAILED',
      message: expect.stringContaining('redirected more than 5 times') as unknown,
    });
  });
});

it('a request cannot lie about its length, its host or its connection', async () => {
  const headers = {
    'Content-Length': '1000',
    'Transfer-Encoding': 'chunked',
    'Host': 'elsewhere',
    'Connection': 'upgrade',
    'X-Own': 'kept',
  };
  const body = new TextEncoder().encode('body');
  const seen = JSON.parse(await ask(telling, { method: 'POST', headers, body })) as object;
  expect(seen).toEqual({
    'content-length': '4',
    'connection': 'close',
    'host': expect.stringMatching(/^service\.test:/) as unknown,
    'x-own': 'kept',
  });
});
