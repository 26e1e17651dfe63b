/** `http_request`: asks hosts of the public internet, and no others unless they are named. */
import { isUtf8 } from 'node:buffer';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import type { ToolDefinition } from 'troupe/plugin';

import type { HttpRequestOptions } from '../options.ts';
import { ToolError } from '../tool-error.ts';
import { isPublic } from './http-address.ts';
import { hop, type HopAnswer, type HopRequest } from './http-hop.ts';
import { createHttpMask, type HttpMask } from './http-mask.ts';
import { checkHeaders, headersForAll, hostOf, HttpRules, portOf } from './http-rules.ts';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<string[]>;

type Going = Pick<HopRequest, 'url' | 'method' | 'headers' | 'body'>;

/** A request to its end, by way of its redirects. */
interface Journey {
  answer: HopAnswer;
  /** Where it ended. */
  url: string;
  redirects: string[];
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const URL_CHARS_MAX = 8_192;

/** @param resolve replaced where a test wants other addresses than the system's. */
export function httpRequest(
  {
    methods = ['GET', 'HEAD'],
    hostHeaders = {},
    responseBytesMax = 1024 * 1024,
    requestBytesMax = 256 * 1024,
    redirectsMax = 5,
    ...hosts
  }: HttpRequestOptions,
  resolve: Resolve = resolveBySystem,
): ToolDefinition {
  const rules = new HttpRules(hosts);
  const secretHeaders = new Map(
    Object.entries(hostHeaders).map(([host, headers]) => [host.toLowerCase(), lowerCase(headers)]),
  );
  const mask = createHttpMask(hostHeaders);
  const ask = async (going: Going, signal: AbortSignal): Promise<HopAnswer> => {
    const { url } = going;
    const { isUsualPort } = rules.check(url);
    const addresses = await addressesOf(url, { rules, isUsualPort, resolve, signal });
    // not in the clear, but on networks that were named
    const isSafe = url.protocol === 'https:' || !addresses.some(isPublic);
    const headers = { ...going.headers, ...(isSafe && secretHeaders.get(url.host)) };
    return hop({ ...going, headers, addresses, signal, bytesMax: responseBytesMax });
  };
  const follow = async (first: Going, signal: AbortSignal): Promise<Journey> => {
    const redirects: string[] = [];
    for (let going = first; ; redirects.push(going.url.href)) {
      const answer = await ask(going, signal);
      const next = REDIRECTS.has(answer.status) ? answer.headers['location'] : undefined;
      if (next === undefined) return { answer, url: going.url.href, redirects };
      if (redirects.length >= redirectsMax) {
        throw new ToolError('HTTP_REDIRECTS', `more than ${String(redirectsMax)} redirects`);
      }
      going = redirected(going, answer.status, next);
    }
  };
  return {
    name: 'http_request',
    description:
      `Sends an HTTP request (${methods.join(', ')}) and returns status, headers and body. Hosts of ` +
      `the public internet only. At most ${String(responseBytesMax)} bytes of a body.`,
    input: {
      type: 'object',
      properties: {
        url: { type: 'string', maxLength: URL_CHARS_MAX, description: 'http:// or https://' },
        method: { enum: methods, default: methods[0] },
        headers: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 50 },
        body: { type: 'string', description: 'Text to send, not with GET or HEAD' },
      },
      required: ['url'],
      additionalProperties: false,
    },
    async execute({ url, method, headers = {}, body }: Record<string, unknown>, { signal }) {
      try {
        const going: Going = {
          url: parse(String(url)),
          method: typeof method === 'string' ? method : (methods[0] ?? 'GET'),
          headers: checkHeaders(headers as Record<string, unknown>),
          body: typeof body === 'string' ? body : undefined,
        };
        checkBody(going, requestBytesMax);
        return told(await follow(going, signal), mask);
      } catch (error) {
        if (error instanceof ToolError) throw new ToolError(error.code, mask.text(error.message));
        throw error;
      }
    },
  };
}

interface Lookup {
  rules: HttpRules;
  /** Of the public internet; another one is for addresses that are named with it. */
  isUsualPort: boolean;
  resolve: Resolve;
  signal: AbortSignal;
}

async function addressesOf(
  url: URL,
  { rules, isUsualPort, resolve, signal }: Lookup,
): Promise<string[]> {
  const host = hostOf(url);
  let addresses = [host];
  if (isIP(host) === 0) {
    try {
      addresses = await resolve(host);
    } catch {
      signal.throwIfAborted();
      addresses = [];
    }
    signal.throwIfAborted();
    if (addresses.length === 0)
      throw new ToolError('HTTP_FAILED', `the host '${host}' is not known`);
  }
  const port = portOf(url);
  // all, not some: of a name that has both, one is a trick
  if (addresses.every((address) => rules.allowsPrivate(address, port))) return addresses;
  if (!isUsualPort) {
    throw new ToolError('HTTP_PORT_REFUSED', `port ${String(port)} of '${host}' is not allowed`);
  }
  if (addresses.every((address) => isPublic(address) || rules.allowsPrivate(address, port))) {
    return addresses;
  }
  throw new ToolError('HTTP_ADDRESS_REFUSED', `'${host}' is not of the public internet`);
}

/** What of a request goes on to where it is sent next. */
function redirected(going: Going, status: number, location: string): Going {
  const url = parse(location, going.url);
  if (going.url.protocol === 'https:' && url.protocol !== 'https:') {
    throw new ToolError('HTTP_REDIRECT_REFUSED', 'a redirect leads from https to a URL without it');
  }
  const isSame = url.origin === going.url.origin;
  const headers = isSame ? { ...going.headers } : headersForAll(going.headers);
  const keepsMethod = status === 307 || status === 308 || /^(GET|HEAD)$/.test(going.method);
  if (!keepsMethod) {
    delete headers['content-type'];
    return { url, method: 'GET', headers, body: undefined };
  }
  if (!isSame && going.body !== undefined) {
    throw new ToolError('HTTP_REDIRECT_REFUSED', 'a redirect would send the body to another host');
  }
  return { url, method: going.method, headers, body: going.body };
}

/** Without the keys it was asked with. */
function told({ answer, url, redirects }: Journey, mask: HttpMask): object {
  const { status, headers, body, truncated } = answer;
  const [type = '', ...parameters] = (headers['content-type'] ?? '').split(';');
  const isText = /^(text\/|application\/(.*\+)?(json|xml|javascript|x-www-form-urlencoded|yaml))/i;
  // of no kind, it is text where it reads as one
  const readsAsText = type.trim() === '' ? isUtf8(body) : isText.test(type.trim());
  const charset = /charset="?([\w-]+)/i.exec(parameters.join(';'))?.[1] ?? 'utf-8';
  return {
    status,
    url: mask.text(url),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, mask.text(value)]),
    ),
    body: readsAsText
      ? mask.text(decode(body, charset), truncated)
      : mask.bytes(body, truncated).toString('base64'),
    encoding: readsAsText ? 'text' : 'base64',
    truncated,
    redirects: redirects.map((each) => mask.text(each)),
  };
}

function decode(body: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

function checkBody({ method, body }: Going, bytesMax: number): void {
  if (body === undefined) return;
  if (method === 'GET' || method === 'HEAD') {
    throw new ToolError('HTTP_BODY_REFUSED', `a ${method} request has no body`);
  }
  if (Buffer.byteLength(body) > bytesMax) {
    throw new ToolError('HTTP_BODY_REFUSED', `the body has more than ${String(bytesMax)} bytes`);
  }
}

function parse(text: string, base?: URL): URL {
  try {
    const url = new URL(text, base);
    url.hash = '';
    return url;
  } catch {
    throw new ToolError('HTTP_URL_INVALID', `'${text.slice(0, 200)}' is no URL`);
  }
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

async function resolveBySystem(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);
}
