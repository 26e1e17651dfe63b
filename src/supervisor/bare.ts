/** Options for Node on an object without a prototype: a polluted `Object.prototype` adds none. */

export function bare<T extends object>(options: T): T {
  return Object.assign(Object.create(null) as T, options);
}
