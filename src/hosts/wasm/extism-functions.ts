/** `extism:host/env`: what a plug-in kit of Extism calls, beside the blocks themselves. */
import type { Logger } from '../../plugin.ts';
import type { Blocking } from '../../protocol/blocking.ts';
import type { HttpAnswer, WasmOutput } from '../../protocol/wasm.ts';
import type { Blocks } from './blocks.ts';
import { GuestError } from './guest-error.ts';
import type { Streams } from './streams.ts';
import type { Variables } from './variables.ts';

export const EXTISM_MODULE = 'extism:host/env';
/** Of older kits: in the module `env`, with this before each name. */
export const LEGACY_PREFIX = 'extism_';

export interface AbiScope {
  blocks: Blocks;
  variables: Variables;
  config: Record<string, unknown>;
  log: Logger;
  blocking: Blocking;
  output: WasmOutput;
  streams: Streams;
}

type HostFunction = (...args: never[]) => unknown;

export function extismFunctions(scope: AbiScope): Record<string, unknown> {
  const { blocks, variables, config } = scope;
  const own: Record<string, HostFunction> = {
    config_get(key: bigint): bigint {
      const name = blocks.text(key);
      if (!Object.hasOwn(config, name)) return 0n;
      const value = config[name];
      return blocks.add(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
    },
    var_get(key: bigint): bigint {
      return blocks.add(variables.get(blocks.text(key)) ?? '');
    },
    var_set(key: bigint, value: bigint): void {
      if (value === 0n) variables.delete(blocks.text(key));
      else variables.set(blocks.text(key), blocks.view(value));
    },
    ...httpFunctions(scope),
    ...logFunctions(scope),
  };
  return { ...blocks.functions, ...own };
}

function httpFunctions({
  blocks,
  blocking,
}: AbiScope): Record<'http_request' | 'http_status_code' | 'http_headers', HostFunction> {
  let last: HttpAnswer | undefined;
  return {
    http_request(request: bigint, body: bigint): bigint {
      last = undefined;
      const { url, method, headers } = requestOf(blocks.json(request, 'its HTTP request'));
      const sent = body === 0n ? undefined : new Uint8Array(blocks.view(body));
      // the kernel's, so it has this shape
      last = blocking.service({
        op: 'http',
        request: { url, method, headers, body: sent },
      }) as HttpAnswer;
      return blocks.add(last.body);
    },
    http_status_code: (): number => last?.status ?? 0,
    http_headers: (): bigint => blocks.add(last ? JSON.stringify(last.headers) : ''),
  };
}

function requestOf(value: unknown): {
  url: string;
  method: string;
  headers: Record<string, string>;
} {
  const { url, method, headers } = (value ?? {}) as Record<string, unknown>;
  if (typeof url !== 'string') throw new GuestError('its HTTP request has no "url"');
  const given = typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
  return {
    url,
    method: typeof method === 'string' ? method : 'GET',
    headers: Object.fromEntries(given.map(([name, text]) => [name, String(text)])),
  };
}

/** Levels of the ABI, and of the logger here. */
const LEVELS = [
  ['log_trace', 'debug'],
  ['log_debug', 'debug'],
  ['log_info', 'info'],
  ['log_warn', 'warn'],
  ['log_error', 'error'],
] as const;

function logFunctions({ blocks, log, blocking }: AbiScope): Record<string, HostFunction> {
  const functions = LEVELS.map(([name, level]): [string, HostFunction] => [
    name,
    (at: bigint): void => {
      blocking.checkpoint();
      log[level](blocks.text(at));
    },
  ]);
  return { ...Object.fromEntries(functions), get_log_level: () => 0 };
}
