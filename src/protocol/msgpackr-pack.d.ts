/** The pure JavaScript build of msgpackr, whose own declarations an ES module cannot resolve. */
declare module 'msgpackr/pack' {
  export { Packr } from 'msgpackr';
}
