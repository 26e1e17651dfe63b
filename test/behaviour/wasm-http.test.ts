/** HTTP of WebAssembly guests: to whom the spec names, in bounds, and nowhere private by itself. */
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { HttpHost } from 'troupe';
import { describe, expect, it, onTestFinished } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { GUEST, runGuest, statsOf } from '../support/guests.ts';
import { createManager } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';

async function serve(listener: RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const permitted = (...hosts: string[]): HttpHost[] =>
  hosts.map((host) => ({ host, private: true }));

const fetching = (url: string, more: object = {}): object => ({
  function: 'fetch',
  input: { url, ...more },
});

describe.each(['thread', 'process'] as const)('a guest in a %s', (isolation) => {
  it('sends requests to a host that it is permitted, and reads the answer', async () => {
    const seen: unknown[] = [];
    const host = await serve((request, response) => {
      seen.push([request.method, request.url, request.headers['x-own'], request.headers.host]);
      response.end('fetched');
    });
    const permissions = { http: permitted(host) };
    const guest = await runGuest(createManager(), GUEST, { isolation, permissions });
    const request = { method: 'post', headers: { 'x-own': 'yes', 'host': 'elsewhere' } };
    expect(await guest.execute(fetching(`http://${host}/path?a=1`, request))).toBe('fetched');
    expect(seen).toEqual([['POST', '/path?a=1', 'yes', host]]);
  });
});

describe('a request is refused', () => {
  it.each([
    [
      'to a host that the spec does not name',
      'http://example.com/',
      [],
      /example\.com is not among/,
    ],
    ['to another port', 'http://127.0.0.1:1/', permitted('127.0.0.1:2'), /not among/],
    ['to a private address', 'http://127.0.0.1/', ['127.0.0.1'], /private address/],
    ['to a name of this machine', 'http://localhost/', ['*'], /private address/],
    ['to this machine in another notation', 'http://0x7f.1/', ['*'], /private address/],
    ['to a mapped address', 'http://[::ffff:169.254.169.254]/', ['*'], /private address/],
    ['to what is no URL', 'no url', ['*'], /is no URL/],
    ['to a file', 'file:///etc/passwd', ['*'], /is not HTTP/],
  ] as [string, string, HttpHost[], RegExp][])('%s', async (_, url, hosts, message) => {
    const guest = await runGuest(createManager(), GUEST, { permissions: { http: hosts } });
    const error = await failureOf(guest.execute(fetching(url)));
    expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { code: 'PERMISSION_DENIED' } });
    expect(error.message).toMatch(message);
    expect(await guest.execute('there')).toBe('there');
  });

  it('when it is redirected to where it may not go', async () => {
    const other = await serve((_, response) => response.end('secret'));
    const host = await serve((_, response) => {
      response.writeHead(302, { location: `http://${other}/` }).end();
    });
    const guest = await runGuest(createManager(), GUEST, {
      permissions: { http: permitted(host) },
    });
    const error = await failureOf(guest.execute(fetching(`http://${host}/`)));
    expect(error.message).toContain(`${other} is not among its permissions.http`);
  });
});

describe('an answer', () => {
  it('is followed from host to host where each is permitted', async () => {
    const other = await serve(({ headers }, response) =>
      response.end(`at the end ${String(headers.authorization)}`),
    );
    const host = await serve((_, response) => {
      response.writeHead(307, { location: `http://${other}/` }).end();
    });
    const permissions = { http: permitted(host, other) };
    const guest = await runGuest(createManager(), GUEST, { permissions });
    const request = fetching(`http://${host}/`, { headers: { authorization: 'secret' } });
    expect(await guest.execute(request)).toBe('at the end undefined');
  });

  it('may not be larger than the spec says', async () => {
    const host = await serve((_, response) => {
      response.end('x'.repeat(2_000));
    });
    const wasm = { httpBytesMax: 1_000 };
    const guest = await runGuest(createManager(), GUEST, {
      wasm,
      permissions: { http: permitted(host) },
    });
    const error = await failureOf(guest.execute(fetching(`http://${host}/`)));
    expect(error).toMatchObject({ cause: { code: 'PAYLOAD_TOO_LARGE' } });
    expect(error.message).toContain('wasm.httpBytesMax (1000)');
  });

  it('is waited for no longer than the spec says, nor than the call lasts', async () => {
    const open = new Set<unknown>();
    const host = await serve((request) => {
      open.add(request);
      request.on('close', () => open.delete(request));
    });
    const permissions = { http: permitted(host) };
    const manager = createManager();
    const guest = await runGuest(manager, GUEST, { permissions, wasm: { httpTimeoutMs: 100 } });
    const error = await failureOf(guest.execute(fetching(`http://${host}/`)));
    expect(error).toMatchObject({ cause: { code: 'CALL_TIMEOUT' } });
    const patient = await runGuest(manager, GUEST, { id: 'patient', permissions });
    const late = await failureOf(patient.execute(fetching(`http://${host}/`), { timeoutMs: 200 }));
    expect(late).toMatchObject({ code: 'CALL_TIMEOUT', pluginId: 'patient' });
    await eventually(() => expect(open.size).toBe(0));
    expect(await patient.execute('there')).toBe('there');
    expect(await statsOf(patient)).toMatchObject({ restarts: 0 });
  });

  it('that leads to no URL fails the call, and its connection is closed', async () => {
    const open = new Set<unknown>();
    const host = await serve(({ socket }, response) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      response.writeHead(302, { location: 'http://[' }).write('and no end');
    });
    const permissions = { http: permitted(host) };
    const guest = await runGuest(createManager(), GUEST, { permissions });
    const error = await failureOf(guest.execute(fetching(`http://${host}/`)));
    expect(error.message).toContain(`the request to ${host} failed: Invalid URL`);
    await eventually(() => expect(open.size).toBe(0));
  });

  it('that does not come fails the call', async () => {
    const host = await serve(({ socket }) => socket.destroy());
    const guest = await runGuest(createManager(), GUEST, {
      permissions: { http: permitted(host) },
    });
    const error = await failureOf(guest.execute(fetching(`http://${host}/`)));
    expect(error).toMatchObject({ cause: { code: 'CALL_FAILED' } });
    expect(error.message).toContain(`the request to ${host} failed`);
  });
});
