/** The host for WebAssembly, which only an actor of such a plugin loads. */
export { loadGuest } from '../src/hosts/wasm/host.ts';
