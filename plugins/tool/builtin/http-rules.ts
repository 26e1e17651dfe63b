/** What `http_request` may ask for, before any address is looked up: hosts, ports, methods, headers. */
import { ToolError } from '../tool-error.ts';
import { canonical } from './http-address.ts';

interface HostRule {
  host: string;
  below: boolean;
  port: number | undefined;
}

/** Those of the connection and of the host are not the caller's. */
const HEADERS_REFUSED =
  /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|keep-alive|expect|via|proxy-.*|sec-.*|http2-settings|:.*)$/i;
/** Of the caller's, all that another host than the one they were meant for is sent. */
export const HEADERS_FOR_ALL: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'user-agent',
]);

export class HttpRules {
  readonly #allow: HostRule[] | undefined;
  readonly #deny: HostRule[];
  readonly #private: Set<string>;

  constructor(options: {
    allow?: readonly string[];
    deny?: readonly string[];
    allowPrivate?: readonly string[];
  }) {
    this.#allow = options.allow?.map(ruleOf);
    this.#deny = (options.deny ?? []).map(ruleOf);
    this.#private = new Set((options.allowPrivate ?? []).map(placeOf));
  }

  /**
   * @returns whether its port may be asked, of whatever address.
   * @throws ToolError `HTTP_URL_INVALID`, `HTTP_HOST_REFUSED`.
   */
  check(url: URL): { isUsualPort: boolean } {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new ToolError('HTTP_URL_INVALID', 'the URL must begin with http:// or https://');
    }
    if (url.username !== '' || url.password !== '') {
      throw new ToolError('HTTP_URL_INVALID', 'the URL must not have a user or a password');
    }
    const host = hostOf(url);
    const port = portOf(url);
    const fits = (rule: HostRule): boolean => matches(rule, host);
    if (this.#deny.some((rule) => fits(rule) && (rule.port ?? port) === port)) {
      throw new ToolError('HTTP_HOST_REFUSED', `the host '${host}' is not allowed`);
    }
    const allowing = this.#allow?.filter(fits);
    if (allowing?.length === 0) {
      throw new ToolError('HTTP_HOST_REFUSED', `the host '${host}' is not among those allowed`);
    }
    const isUsual = port === 80 || port === 443;
    const isUsualPort =
      allowing === undefined
        ? isUsual
        : allowing.some((rule) => (rule.port === undefined ? isUsual : rule.port === port));
    return { isUsualPort };
  }

  /** Whether an address that is not public may be asked at this port all the same. */
  allowsPrivate(address: string, port: number): boolean {
    return this.#private.has(`${canonical(address)} ${String(port)}`);
  }
}

/** @throws ToolError `HTTP_HEADER_REFUSED`. */
export function checkHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string' || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw refused(name, 'its value is not a text of one line');
    }
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw refused(name, 'that is no name');
    if (HEADERS_REFUSED.test(name)) throw refused(name, "it is not the caller's to set");
    checked[name.toLowerCase()] = value;
  }
  return checked;
}

/** What is left of a caller's headers when a redirect leads to another origin. */
export function headersForAll(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HEADERS_FOR_ALL.has(name)));
}

export function hostOf(url: URL): string {
  return canonical(url.hostname.replace(/\.$/, ''));
}

export function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** As a URL has it: lower case, punycode, IPv4 in four decimals. */
function ruleOf(text: string): HostRule {
  const below = text.startsWith('*.');
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(below ? text.slice(2) : text) ?? [];
  const url = new URL(`http://${host}`);
  return { host: hostOf(url), below, port: port === undefined ? undefined : Number(port) };
}

function matches({ host, below }: HostRule, asked: string): boolean {
  return below ? asked.endsWith(`.${host}`) : asked === host;
}

function placeOf(text: string): string {
  const at = text.lastIndexOf(':');
  return `${canonical(text.slice(0, at))} ${text.slice(at + 1)}`;
}

function refused(name: string, why: string): ToolError {
  return new ToolError('HTTP_HEADER_REFUSED', `the header '${name.slice(0, 100)}': ${why}`);
}
