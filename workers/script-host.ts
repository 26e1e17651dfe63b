/** The host for scripts, which only an actor of such a plugin loads. */
export { loadScript } from '../src/hosts/script.ts';
