/** Constants and functions of the calculator. */

interface MathFunction {
  of: (...args: number[]) => number;
  min: number;
  max: number;
}

const ARGUMENTS_MAX = 1_000;
const RADIANS = Math.PI / 180;

export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['tau', 2 * Math.PI],
  ['e', Math.E],
  ['phi', (1 + Math.sqrt(5)) / 2],
]);

export const FUNCTIONS: ReadonlyMap<string, MathFunction> = new Map([
  ...one({
    abs: Math.abs,
    sign: Math.sign,
    floor: Math.floor,
    ceil: Math.ceil,
    trunc: Math.trunc,
    sqrt: Math.sqrt,
    cbrt: Math.cbrt,
    exp: Math.exp,
    ln: Math.log,
    log2: Math.log2,
    log10: Math.log10,
    sin: Math.sin,
    cos: Math.cos,
    tan: Math.tan,
    asin: Math.asin,
    acos: Math.acos,
    atan: Math.atan,
    sinh: Math.sinh,
    cosh: Math.cosh,
    tanh: Math.tanh,
    rad: (degrees) => degrees * RADIANS,
    deg: (radians) => radians / RADIANS,
    fact: factorial,
  }),
  ['round', { of: round, min: 1, max: 2 }],
  ['log', { of: logarithm, min: 2, max: 2 }],
  ['atan2', { of: (y = 0, x = 0) => Math.atan2(y, x), min: 2, max: 2 }],
  ['hypot', { of: Math.hypot, min: 1, max: ARGUMENTS_MAX }],
  ['min', { of: Math.min, min: 1, max: ARGUMENTS_MAX }],
  ['max', { of: Math.max, min: 1, max: ARGUMENTS_MAX }],
  ['sum', { of: sum, min: 1, max: ARGUMENTS_MAX }],
  ['mean', { of: (...args) => sum(...args) / args.length, min: 1, max: ARGUMENTS_MAX }],
]);

function one(functions: Record<string, (x: number) => number>): [string, MathFunction][] {
  return Object.entries(functions).map(([name, of]) => [
    name,
    { of: (x = Number.NaN) => of(x), min: 1, max: 1 },
  ]);
}

/** Halves go away from zero; the second argument is how many decimals are kept, 0 to 15. */
function round(x = 0, decimals = 0): number {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 15) return Number.NaN;
  return Math.sign(x) * shifted(Math.round(shifted(Math.abs(x), decimals)), -decimals);
}

/** By way of the decimal text: 1.005 is to be rounded to 1.01. */
function shifted(x: number, places: number): number {
  const [digits = '0', exponent = '0'] = x.toExponential().split('e');
  return Number(`${digits}e${String(Number(exponent) + places)}`);
}

function logarithm(x = Number.NaN, base = Number.NaN): number {
  if (base === 2) return Math.log2(x);
  return base === 10 ? Math.log10(x) : Math.log(x) / Math.log(base);
}

function factorial(n: number): number {
  if (!Number.isInteger(n) || n < 0) return Number.NaN;
  let product = 1;
  for (let factor = 2; factor <= n && product < Infinity; factor++) product *= factor;
  return product;
}

function sum(...args: number[]): number {
  return args.reduce((total, value) => total + value, 0);
}
