/** One request and its answer, over a connection that goes to checked addresses and nowhere else. */
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

import { messageOf } from '../../coded-error.ts';
import { ToolError } from '../tool-error.ts';

export interface HopRequest {
  url: URL;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
  /** To one of these the connection goes, whatever the name resolves to by then. */
  addresses: readonly string[];
  signal: AbortSignal;
  bytesMax: number;
}

export interface HopAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  /** The body went on beyond `bytesMax`. */
  truncated: boolean;
}

const HEADER_BYTES_MAX = 16_384;

/** @throws ToolError `HTTP_FAILED`; the signal's reason where it aborted. */
export async function hop(request: HopRequest): Promise<HopAnswer> {
  try {
    const answer = await send(request);
    return { ...(await bodyOf(answer, request)), ...headOf(answer) };
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof ToolError) throw error;
    throw new ToolError('HTTP_FAILED', `${request.url.host} could not be asked: ${whyOf(error)}`);
  }
}

async function send({
  url,
  method,
  headers,
  body,
  addresses,
  signal,
}: HopRequest): Promise<http.IncomingMessage> {
  const { request } = url.protocol === 'https:' ? https : http;
  const options: https.RequestOptions = {
    method,
    headers: {
      'user-agent': 'troupe',
      'accept': '*/*',
      'accept-encoding': 'identity',
      ...headers,
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    // a connection of its own: one that is kept could be another host's
    agent: false,
    lookup: pinnedTo(addresses),
    maxHeaderSize: HEADER_BYTES_MAX,
    insecureHTTPParser: false,
    signal,
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, options, resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

function pinnedTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (hostname, options, callback) => {
    const [first] = all;
    if (options.all === true) callback(null, all);
    else if (first) callback(null, first.address, first.family);
    else callback(new Error(`no address of ${hostname} is allowed`), '', 0);
  };
}

function headOf(answer: http.IncomingMessage): Pick<HopAnswer, 'status' | 'headers'> {
  const headers: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(answer.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { status: answer.statusCode ?? 0, headers };
}

async function bodyOf(
  answer: http.IncomingMessage,
  { bytesMax, method }: HopRequest,
): Promise<Pick<HopAnswer, 'body' | 'truncated'>> {
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && method !== 'HEAD') {
    answer.destroy();
    throw new ToolError(
      'HTTP_FAILED',
      `the body is compressed (${encoding}), though that was not asked for`,
    );
  }
  const chunks: Buffer[] = [];
  let size = 0;
  // leaving the loop ends the connection
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, bytesMax - size));
    size += chunk.byteLength;
    if (size > bytesMax) break;
  }
  return { body: Buffer.concat(chunks), truncated: size > bytesMax };
}

/** Where connecting to each of several addresses failed, the error itself says nothing. */
function whyOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = first instanceof Error && 'code' in first ? String(first.code) : '';
  // messages of the system name addresses
  return /^E[A-Z]+$/.test(code) ? code : messageOf(first);
}
