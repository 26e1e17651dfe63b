/**
 * Sends the HTTP requests of WebAssembly guests, whose own threads stand still meanwhile. Here,
 * and not in the plugin's thread, because what a guest may reach is decided outside of it.
 */
import { lookup } from 'node:dns/promises';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import net, { type LookupFunction } from 'node:net';

import { PluginError } from '../protocol/errors.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { HttpAnswer, HttpRequest, WasmPlan } from '../protocol/wasm.ts';
import { isPrivateAddress, ruleFor } from './http-rules.ts';

const REDIRECTS_MAX = 5;
const METHODS = /^[A-Z]{1,16}$/;
/** Of the connection, not of the request; or such as would lie about what is sent. */
const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** @throws PluginError `PERMISSION_DENIED`, `CALL_TIMEOUT`, `PAYLOAD_TOO_LARGE`, or `CALL_FAILED`. */
export async function sendHttp(
  { metadata: { id }, wasm }: PluginPlan,
  asked: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  if (!wasm) throw denied(id, 'only WebAssembly plugins send requests through the kernel');
  const { httpTimeoutMs } = wasm;
  const overdue = AbortSignal.timeout(httpTimeoutMs);
  const client: Client = { id, wasm, signal: AbortSignal.any([signal, overdue]) };
  try {
    return await follow(client, checked(client, asked));
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    const host = shownHost(asked.url);
    if (overdue.aborted) {
      const what = `${id}: no answer from ${host} within wasm.httpTimeoutMs (${String(httpTimeoutMs)})`;
      throw new PluginError('CALL_TIMEOUT', what, { pluginId: id, cause });
    }
    const what = cause instanceof Error ? cause.message : String(cause);
    const message = `${id}: the request to ${host} failed: ${what}`;
    throw new PluginError('CALL_FAILED', message, { pluginId: id, cause });
  }
}

interface Client {
  id: string;
  wasm: WasmPlan;
  signal: AbortSignal;
}

type CheckedRequest = Omit<HttpRequest, 'url'> & { url: URL };

function checked({ id }: Client, { url, method, headers, body }: HttpRequest): CheckedRequest {
  if (!URL.canParse(url)) throw denied(id, `${JSON.stringify(url.slice(0, 200))} is no URL`);
  const name = method.toUpperCase();
  if (!METHODS.test(name) || name === 'CONNECT') throw denied(id, `${method} is no method`);
  const own = Object.entries(headers).filter(([key]) => !OWN_HEADERS.has(key.toLowerCase()));
  return { url: new URL(url), method: name, headers: Object.fromEntries(own), body };
}

async function follow(client: Client, first: CheckedRequest): Promise<HttpAnswer> {
  let request = first;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    const response = await send(client, request);
    const next = redirected(request, response);
    if (!next) return await answerOf(client, response);
    request = next;
  }
  throw new Error(`it was redirected more than ${String(REDIRECTS_MAX)} times`);
}

/** Every hop has to be allowed, and none learns what was meant for another host. */
function redirected(
  request: CheckedRequest,
  response: IncomingMessage,
): CheckedRequest | undefined {
  const { statusCode = 0 } = response;
  const { location } = response.headers;
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return undefined;
  response.destroy();
  const url = new URL(location, request.url);
  const keeps = statusCode >= 307 || request.method === 'GET' || request.method === 'HEAD';
  const headers = Object.entries(request.headers).filter(
    ([key]) => url.origin === request.url.origin || !/^(authorization|cookie)$/i.test(key),
  );
  return {
    url,
    method: keeps ? request.method : 'GET',
    headers: Object.fromEntries(headers),
    body: keeps ? request.body : undefined,
  };
}

async function send(
  client: Client,
  { url, method, headers, body }: CheckedRequest,
): Promise<IncomingMessage> {
  const { signal } = client;
  const pinned = await pinnedAddresses(client, url);
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const options = {
      method,
      signal,
      lookup: pinned,
      // nothing of it is kept for the next request
      agent: false,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-length': String(body.byteLength) }),
      },
    };
    request(url, options, resolve).on('error', reject).end(body);
  });
}

/**
 * Resolves the host once, and connects to one of those addresses: a name that means another
 * address at a second look gains nothing.
 */
async function pinnedAddresses({ id, wasm, signal }: Client, url: URL): Promise<LookupFunction> {
  const { protocol, hostname, host } = url;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw denied(id, `${protocol} is not HTTP`);
  }
  const rule = ruleFor(url, wasm.http);
  if (!rule) throw denied(id, `${host} is not among its permissions.http`);
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses =
    net.isIP(bare) > 0
      ? [{ address: bare, family: net.isIP(bare) }]
      : await Promise.race([lookup(bare, { all: true }), aborted(signal)]);
  if (!rule.private && addresses.some(({ address }) => isPrivateAddress(address))) {
    const remedy = 'permit it with { "host": …, "private": true }';
    throw denied(id, `${host} is at a private address, which a guest may not reach; ${remedy}`);
  }
  return (_host, { all }, callback) => {
    const [first] = addresses;
    // with all of them Node goes on to the next where one cannot be reached
    if (all === true || !first) callback(null, addresses);
    else callback(null, first.address, first.family);
  };
}

/** A name is looked up for as long as the system likes. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('it was called off'));
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

async function answerOf(
  { id, wasm: { httpBytesMax } }: Client,
  response: IncomingMessage,
): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > httpBytesMax) {
      const what = `${id}: an answer has more than wasm.httpBytesMax (${String(httpBytesMax)}) bytes`;
      const data = { limit: 'httpBytesMax', max: httpBytesMax };
      throw new PluginError('PAYLOAD_TOO_LARGE', what, { pluginId: id, data });
    }
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    headers: plainHeaders(response.headers),
    body: Buffer.concat(chunks, bytes),
  };
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return Object.fromEntries(entries);
}

function shownHost(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'what is no URL';
}

function denied(id: string, what: string): PluginError {
  return new PluginError('PERMISSION_DENIED', `${id} may not send this request: ${what}`, {
    pluginId: id,
  });
}
