import type { LookupAddress } from 'node:dns';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { sendHttp } from '../../src/kernel/http.ts';
import { wasmPlanOf } from '../../src/kernel/wasm-plan.ts';
import { planFor } from '../support/plan.ts';

const addresses: { current: LookupAddress[] } = { current: [] };

vi.mock('node:dns/promises', () => ({ lookup: async () => addresses.current }));

/** What a plugin is answered that asks for a host of these addresses. */
async function answerOf(found: LookupAddress[], isPrivate: boolean): Promise<string> {
  addresses.current = found;
  const server = http.createServer((_, response) => response.end('answered'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const host = `service.test:${String(port)}`;
  const permissions = { http: [{ host, private: isPrivate }] };
  const entry = new URL('file:///guest.wasm');
  const spec = { id: 'guest', type: 'tool' as const, entry, permissions };
  const scope = { host: 'wasm' as const, entry, access: undefined, resolve: () => entry };
  const plan = { ...planFor('guest'), wasm: wasmPlanOf(spec, scope) };
  const request = { url: `http://${host}/`, method: 'GET', headers: {}, body: undefined };
  const { body } = await sendHttp(plan, request, new AbortController().signal);
  return Buffer.from(body).toString();
}

const LOCAL = { address: '127.0.0.1', family: 4 };
/** Where nobody listens. */
const DEAF = { address: '::1', family: 6 };
const PUBLIC = { address: '93.184.216.34', family: 4 };

describe('a host of several addresses', () => {
  it('is reached where one of them answers', async () => {
    expect(await answerOf([DEAF, LOCAL], true)).toBe('answered');
  });

  it('is refused where one of them is private, and that is not permitted', async () => {
    await expect(answerOf([PUBLIC, LOCAL], false)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });

  it('is not found where there are none', async () => {
    await expect(answerOf([], true)).rejects.toMatchObject({ code: 'CALL_FAILED' });
  });
});
