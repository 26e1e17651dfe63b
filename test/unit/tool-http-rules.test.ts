import { describe, expect, it } from 'vitest';

import { isPublic } from '../../plugins/tool/builtin/http-address.ts';
import { checkHeaders, HttpRules } from '../../plugins/tool/builtin/http-rules.ts';

describe('an address', () => {
  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])(
    'is public: %s',
    (address) => {
      expect(isPublic(address)).toBe(true);
    },
  );

  it.each([
    ['this host', ['0.0.0.0', '0.1.2.3', '::']],
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fd12::1']],
    ['link-local, with the metadata services', ['169.254.169.254', 'fe80::1', 'fe80::1%eth0']],
    ['shared by a carrier', ['100.64.0.1', '100.127.255.255']],
    ['multicast and broadcast', ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1']],
    ['reserved', ['192.0.0.1', '198.18.0.1', '198.19.0.1', '240.0.0.1', '100::1', '4000::1']],
    ['for documents', ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1']],
    ['IPv4 mapped into IPv6', ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8']],
    ['IPv4-compatible', ['::127.0.0.1', '::7f00:1']],
    ['translated, NAT64', ['::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::7f00:1']],
    ['6to4', ['2002:7f00:1::', '2002:a9fe:a9fe::1']],
    ['Teredo', ['2001:0:7f00:1::1']],
    ['site-local of old', ['fec0::1']],
    ['no address', ['', 'localhost', '0x7f.1', '2130706433', '0177.0.0.1', '127.1', '1.2.3.4.5']],
  ])('is not public: %s', (_, addresses) => {
    expect(addresses.filter(isPublic)).toEqual([]);
  });
});

describe('the rules', () => {
  it.each<[string, string | boolean]>([
    ['http://api.example.com/', true],
    ['https://API.Example.COM./x', true],
    ['https://a.b.example.org/', true],
    ['https://example.org/', 'HTTP_HOST_REFUSED'],
    ['https://badexample.org/', 'HTTP_HOST_REFUSED'],
    ['https://api.example.com.evil.net/', 'HTTP_HOST_REFUSED'],
    ['https://evil.net/api.example.com', 'HTTP_HOST_REFUSED'],
    ['https://evil.net#@api.example.com', 'HTTP_HOST_REFUSED'],
    ['https://evil.net\\@api.example.com', 'HTTP_HOST_REFUSED'],
    ['https://api.example.com@evil.net/', 'HTTP_URL_INVALID'],
    ['https://user:password@api.example.com/', 'HTTP_URL_INVALID'],
    ['https://no.example.org/', 'HTTP_HOST_REFUSED'],
    ['https://api.example.com:8443/', false],
    ['https://ports.example.com:8443/', true],
    ['https://ports.example.com/', false],
    ['https://1.1.1.1/', 'HTTP_HOST_REFUSED'],
    ['https://bücher.example/', true],
    ['ftp://api.example.com/', 'HTTP_URL_INVALID'],
    ['file:///etc/passwd', 'HTTP_URL_INVALID'],
    ['data:text/plain,x', 'HTTP_URL_INVALID'],
  ])('of hosts: %s', (url, outcome) => {
    const rules = new HttpRules({
      allow: ['api.example.com', '*.example.org', 'ports.example.com:8443', 'bücher.example'],
      deny: ['no.example.org'],
    });
    expect(codeOf(rules, url)).toBe(outcome);
  });

  it('know an address in every notation', () => {
    const rules = new HttpRules({ deny: ['127.0.0.1', '[::1]'] });
    const same = [
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '0x7f.0.0.1',
      '127.0.0.1.',
      '１２７.0.0.1',
      '127。0。0。1',
      '[0:0:0:0:0:0:0:1]',
      '[::0001]',
    ];
    expect(same.map((host) => codeOf(rules, `http://${host}/`))).toEqual(
      same.map(() => 'HTTP_HOST_REFUSED'),
    );
  });

  it.each([
    [{ host: 'internal' }],
    [{ 'Content-Length': '0' }],
    [{ 'transfer-encoding': 'chunked' }],
    [{ connection: 'keep-alive' }],
    [{ 'Proxy-Authorization': 'x' }],
    [{ 'bad name': 'x' }],
    [{ 'x-a': 'one\r\nhost: internal' }],
    [{ 'x-a': 'one\ntwo' }],
    [{ 'x-a': '\u0000' }],
    [{ 'x-a\r\nx-b': '1' }],
    [{ 'x-a': 7 }],
  ])('refuse the headers %j', (headers) => {
    expect(() => checkHeaders(headers)).toThrow(
      expect.objectContaining({ code: 'HTTP_HEADER_REFUSED' }),
    );
  });
});

function codeOf(rules: HttpRules, url: string): string | boolean {
  try {
    return rules.check(new URL(url)).isUsualPort;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'another error';
  }
}
