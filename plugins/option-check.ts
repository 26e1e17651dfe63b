/** Checks options of a factory one by one; what is not given is `undefined`, what is wrong is refused by name. */
import type { PluginError } from 'troupe';

import { invalidOptions } from './spec-options.ts';

export class OptionCheck {
  readonly id: string;

  constructor(pluginId: string) {
    this.id = pluginId;
  }

  /** @param problem what the option must be. */
  refused(name: string, problem: string): PluginError {
    return invalidOptions(this.id, `"${name}" ${problem}`);
  }

  number(
    name: string,
    given: unknown,
    { min, max = Infinity, isWhole = false }: { min: number; max?: number; isWhole?: boolean },
  ): number | undefined {
    if (given === undefined) return undefined;
    const isOne =
      typeof given === 'number' &&
      (isWhole ? Number.isSafeInteger(given) : Number.isFinite(given)) &&
      given >= min &&
      given <= max;
    if (isOne) return given;
    const range = max === Infinity ? `from ${String(min)}` : `${String(min)} to ${String(max)}`;
    throw this.refused(name, `must be a ${isWhole ? 'whole ' : ''}number, ${range}`);
  }

  text(name: string, given: unknown, charsMax = Infinity): string | undefined {
    if (given === undefined) return undefined;
    if (typeof given === 'string' && given !== '' && given.length <= charsMax) return given;
    const bound =
      charsMax === Infinity ? 'that is not empty' : `of 1 to ${String(charsMax)} characters`;
    throw this.refused(name, `must be a text ${bound}`);
  }

  flag(name: string, given: unknown): boolean | undefined {
    if (given === undefined || typeof given === 'boolean') return given;
    throw this.refused(name, 'must be true or false');
  }
}
