import { describe, expect, it } from 'vitest';

import { isPrivateAddress, ruleFor } from '../../src/kernel/http-rules.ts';

describe('an address is private', () => {
  it.each([
    '127.0.0.1',
    '127.255.1.1',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'not an address',
  ])('%s', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each([
    '1.1.1.1',
    '172.32.0.1',
    '192.169.0.1',
    '93.184.216.34',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
  ])('but not %s', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});

const rule = (host: string, port?: number) => ({ host, port, private: false });

describe('a rule allows', () => {
  it.each([
    ['http://a.com/', rule('a.com'), true],
    ['https://a.com/', rule('a.com'), true],
    ['https://A.com./', rule('a.com'), true],
    ['https://a.com:8443/', rule('a.com'), false],
    ['https://a.com:8443/', rule('a.com', 8443), true],
    ['https://a.com/', rule('a.com', 443), true],
    ['https://b.a.com/', rule('a.com'), false],
    ['https://b.a.com/', rule('*.a.com'), true],
    ['https://a.com/', rule('*.a.com'), false],
    ['https://evila.com/', rule('*.a.com'), false],
    ['https://a.com.evil.com/', rule('a.com'), false],
    ['https://a.com@evil.com/', rule('a.com'), false],
    ['https://any.thing/', rule('*'), true],
    ['https://any.thing:1/', rule('*'), false],
  ])('%s', (url, allowing, allowed) => {
    expect(ruleFor(new URL(url), [allowing]) !== undefined).toBe(allowed);
  });

  it('more where another says so', () => {
    const open = { ...rule('a.com'), private: true };
    expect(ruleFor(new URL('http://a.com/'), [rule('*'), open])).toBe(open);
  });
});
