import { describe, expect, it, vi } from 'vitest';

import { httpRequest, type Resolve } from '../../plugins/tool/builtin/http-request.ts';
import type { HttpRequestOptions } from '../../plugins/tool/options.ts';
import { httpHost } from '../support/http-host.ts';
import { outcomeOf, runTool } from '../support/tool-run.ts';

/** Names and their addresses; `*` is every other name. */
function names(table: Record<string, string[]>): Resolve {
  return async (host) => table[host] ?? table['*'] ?? [];
}

function ask(
  args: Record<string, unknown>,
  options: HttpRequestOptions = {},
  resolve?: Resolve,
): Promise<unknown> {
  return outcomeOf(httpRequest(options, resolve), args);
}

describe('http_request', () => {
  it('gives status, headers and body of a host that is named', async () => {
    const host = await httpHost((_, response) => {
      response.setHeader('content-type', 'application/json; charset=utf-8');
      response.end('{"n":1}');
    });
    const answer = await ask(
      { url: `${host.url}/a?b=1#c`, headers: { 'X-Mine': 'yes' } },
      { allowPrivate: [host.place] },
    );
    expect(answer).toMatchObject({
      status: 200,
      url: `${host.url}/a?b=1`,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: '{"n":1}',
      encoding: 'text',
      truncated: false,
      redirects: [],
    });
    expect(host.asked).toMatchObject([
      { method: 'GET', url: '/a?b=1', headers: { 'x-mine': 'yes' } },
    ]);
  });

  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://0/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://１２７.０.０.１/',
    'http://localhost/',
  ])('refuses %s', async (url) => {
    expect(await ask({ url })).toBe('HTTP_ADDRESS_REFUSED');
  });

  it.each([
    [['10.0.0.1']],
    [['8.8.8.8', '10.0.0.1']],
    [['::ffff:10.0.0.1']],
    [['2606:4700::1111', 'fe80::1']],
  ])('refuses a name with the addresses %j', async (addresses) => {
    expect(await ask({ url: 'http://friendly.example/' }, {}, names({ '*': addresses }))).toBe(
      'HTTP_ADDRESS_REFUSED',
    );
  });

  it('connects to the address it checked, and asks for it once: a name cannot be bound anew', async () => {
    const host = await httpHost((_, response) => response.end('inside'));
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    const resolve = vi.fn<Resolve>(async () => answers.shift() ?? []);
    const url = `http://rebinding.example:${String(host.port)}/`;
    expect(await ask({ url }, { allowPrivate: [host.place] }, resolve)).toMatchObject({
      body: 'inside',
    });
    expect(resolve).toHaveBeenCalledTimes(1);
    expect(host.asked[0]?.headers.host).toBe(`rebinding.example:${String(host.port)}`);
    expect(await ask({ url }, { allowPrivate: [host.place] }, resolve)).toBe('HTTP_PORT_REFUSED');
    expect(host.asked).toHaveLength(1);
  });

  it('asks a private address at its named port only, and a public one at none that is named for it', async () => {
    const host = await httpHost((_, response) => response.end());
    const other = await httpHost((_, response) => response.end());
    const options = { allowPrivate: [host.place] };
    expect(await ask({ url: other.url }, options)).toBe('HTTP_PORT_REFUSED');
    const url = `http://public.example:${String(host.port)}/`;
    expect(await ask({ url }, options, names({ '*': ['8.8.8.8'] }))).toBe('HTTP_PORT_REFUSED');
    expect(other.asked).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])('checks where a redirect (%i) leads', async (status) => {
    const targets = [
      'http://127.0.0.1/',
      'http://[::1]/',
      '//169.254.169.254/latest/',
      'http://inside.example/',
      'file:///etc/passwd',
      'http://user@127.0.0.1/',
    ];
    const outcomes: unknown[] = [];
    const host = await httpHost((request, response) => {
      response.writeHead(status, { location: targets[Number(request.url?.slice(1))] ?? '' });
      response.end();
    });
    for (const index of targets.keys()) {
      const url = `${host.url}/${String(index)}`;
      outcomes.push(
        await ask({ url }, { allowPrivate: [host.place] }, names({ '*': ['10.0.0.1'] })),
      );
    }
    expect(outcomes).toEqual([
      'HTTP_ADDRESS_REFUSED',
      'HTTP_ADDRESS_REFUSED',
      'HTTP_ADDRESS_REFUSED',
      'HTTP_ADDRESS_REFUSED',
      'HTTP_URL_INVALID',
      'HTTP_URL_INVALID',
    ]);
  });

  it('sends another host what is for all, and nothing that was for the first', async () => {
    const second = await httpHost((_, response) => response.end('there'));
    const first = await httpHost((_, response) => {
      response.writeHead(302, { location: `${second.url}/next` });
      response.end();
    });
    const answer = await ask(
      {
        url: first.url,
        headers: {
          'authorization': 'Bearer x',
          'cookie': 'a=b',
          'x-api-key': 'k',
          'accept': 'text/plain',
        },
      },
      {
        allowPrivate: [first.place, second.place],
        hostHeaders: { [first.place]: { 'X-Own': 'secret' } },
      },
    );
    expect(answer).toMatchObject({ body: 'there', redirects: [`${second.url}/next`] });
    expect(first.asked[0]?.headers).toMatchObject({
      'authorization': 'Bearer x',
      'x-own': 'secret',
    });
    expect(second.asked[0]?.headers).toEqual({
      'host': second.place,
      'connection': 'close',
      'user-agent': 'troupe',
      'accept': 'text/plain',
      'accept-encoding': 'identity',
    });
  });

  it.each<[string, string, number | undefined, object]>([
    ['text/plain', 'key: {}', undefined, { body: 'key: [secret]' }],
    ['text/plain', 'key: {}', 15, { body: 'key: [secret]', truncated: true }],
    ['text/plain', 'Authorization: Bearer {}', undefined, { body: 'Authorization: [secret]' }],
    ['application/json', '{"key":"{}"}', undefined, { body: '{"key":"[secret]"}' }],
    ['text/plain', '?key={url}&n=1', undefined, { body: '?key=[secret]&n=1' }],
    ['image/png', 'x{}x', undefined, { body: Buffer.from('x[secret]x').toString('base64') }],
  ])('masks a key that a host echoes as %s: %s', async (type, body, responseBytesMax, told) => {
    const key = 'open sesame/"1"';
    const spelt = { 'application/json': JSON.stringify(key).slice(1, -1) };
    const host = await httpHost((_, response) => {
      response.writeHead(200, { 'content-type': type, 'x-echo': `Bearer ${key}` });
      const said = body.replace('{url}', encodeURIComponent(key));
      response.end(said.replace('{}', type in spelt ? spelt['application/json'] : key));
    });
    const answer = await ask(
      { url: host.url },
      {
        allowPrivate: [host.place],
        hostHeaders: { [host.place]: { authorization: `Bearer ${key}`, accept: type } },
        ...(responseBytesMax !== undefined && { responseBytesMax }),
      },
    );
    expect(host.asked[0]?.headers.authorization).toBe(`Bearer ${key}`);
    expect(answer).toMatchObject({
      ...told,
      headers: { 'x-echo': '[secret]', 'content-type': type },
    });
  });

  it('masks a key in where a redirect leads, and in what it says of that', async () => {
    const host = await httpHost((request, response) => {
      const isFirst = request.url?.startsWith('/?') === false;
      const location = request.url === '/bad' ? 'https://sesame-1:x' : '/?token=sesame-1';
      response.writeHead(isFirst ? 302 : 200, isFirst ? { location } : {});
      response.end();
    });
    const tool = httpRequest({
      allowPrivate: [host.place],
      hostHeaders: { [host.place]: { 'x-api-key': 'sesame-1' } },
    });
    const there = `${host.url}/?token=[secret]`;
    expect(await runTool(tool, { url: `${host.url}/good` })).toMatchObject({
      url: there,
      redirects: [there],
    });
    await expect(runTool(tool, { url: `${host.url}/bad` })).rejects.toMatchObject({
      code: 'HTTP_URL_INVALID',
      message: "'https://[secret]:x' is no URL",
    });
  });

  it('makes a POST a GET where a redirect says so, and sends no other host the body', async () => {
    const second = await httpHost((_, response) => response.end());
    const first = await httpHost((request, response) => {
      const [status, location] = request.url === '/303' ? [303, '/'] : [307, `${second.url}/`];
      response.writeHead(request.url === '/' ? 200 : status, { location });
      response.end();
    });
    const options: HttpRequestOptions = {
      methods: ['POST'],
      allowPrivate: [first.place, second.place],
    };
    const args = { method: 'POST', body: 'mine', headers: { 'content-type': 'text/plain' } };
    expect(await ask({ ...args, url: `${first.url}/303` }, options)).toMatchObject({ status: 200 });
    expect(first.asked).toMatchObject([
      { method: 'POST', body: 'mine' },
      { method: 'GET', body: '' },
    ]);
    expect(await ask({ ...args, url: `${first.url}/307` }, options)).toBe('HTTP_REDIRECT_REFUSED');
    expect(second.asked).toEqual([]);
  });

  it('follows so many redirects and no more', async () => {
    const host = await httpHost((_, response) => {
      response.writeHead(302, { location: '/again' });
      response.end();
    });
    const options = { allowPrivate: [host.place], redirectsMax: 3 };
    expect(await ask({ url: host.url }, options)).toBe('HTTP_REDIRECTS');
    expect(host.asked).toHaveLength(4);
  });

  it('reads so much of a body and leaves the rest', async () => {
    const host = await httpHost((_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(1_000)));
        response.once('drain', more);
      };
      response.setHeader('content-type', 'text/plain');
      more();
    });
    const options = { allowPrivate: [host.place], responseBytesMax: 1_500 };
    expect(await ask({ url: host.url }, options)).toMatchObject({
      body: 'x'.repeat(1_500),
      truncated: true,
    });
  });

  it('gives bytes that are no text as base64, and refuses what is compressed', async () => {
    const host = await httpHost((request, response) => {
      if (request.url === '/gzip') response.setHeader('content-encoding', 'gzip');
      response.setHeader('content-type', 'image/png');
      response.end(Buffer.from([0, 255, 1]));
    });
    const options = { allowPrivate: [host.place] };
    expect(await ask({ url: host.url }, options)).toMatchObject({
      body: 'AP8B',
      encoding: 'base64',
    });
    expect(await ask({ url: `${host.url}/gzip` }, options)).toBe('HTTP_FAILED');
  });

  it('ends with its call, whatever the host does', async () => {
    const controller = new AbortController();
    const reason = Object.assign(new Error('over'), { code: 'TOOL_TIMEOUT' });
    const host = await httpHost((_, response) => {
      response.flushHeaders();
      controller.abort(reason);
    });
    const tool = httpRequest({ allowPrivate: [host.place] });
    const { signal } = controller;
    expect(await outcomeOf(tool, { url: host.url }, { signal })).toBe('TOOL_TIMEOUT');
  });

  it.each<[string, Record<string, unknown>, HttpRequestOptions, string]>([
    ['no URL', { url: 'example.com' }, {}, 'HTTP_URL_INVALID'],
    [
      'a host that is not among those',
      { url: 'http://a.example' },
      { allow: ['b.example'] },
      'HTTP_HOST_REFUSED',
    ],
    ['a denied host', { url: 'http://a.example' }, { deny: ['a.example'] }, 'HTTP_HOST_REFUSED'],
    ['an unusual port', { url: 'http://8.8.8.8:25/' }, {}, 'HTTP_PORT_REFUSED'],
    ['a body with GET', { url: 'http://a.example', body: 'x' }, {}, 'HTTP_BODY_REFUSED'],
    [
      'a large body',
      { url: 'http://a.example', method: 'POST', body: 'xx' },
      { methods: ['POST'], requestBytesMax: 1 },
      'HTTP_BODY_REFUSED',
    ],
    [
      'a header of the connection',
      { url: 'http://a.example', headers: { host: 'b' } },
      {},
      'HTTP_HEADER_REFUSED',
    ],
    ['an unknown name', { url: 'http://a.example' }, {}, 'HTTP_FAILED'],
  ])('refuses %s', async (_, args, options, code) => {
    expect(await ask(args, options, names({}))).toBe(code);
  });
});
