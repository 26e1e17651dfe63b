/** What tools are called towards the model: unique, and made of what every API takes. */

const NAME_CHARS_MAX = 64;

export interface NamedTool {
  pluginId: string;
  name: string;
}

/**
 * A tool keeps its name where it is the only one of that name. Where plugins have tools of one
 * name, each of these is `<plugin>__<name>`. Other characters than letters, digits, `_` and `-`
 * become `_`; what still clashes or is too long gets a number.
 *
 * @param taken names that are not free: tools of the caller's own
 */
export function namesFor(tools: readonly NamedTool[], taken: readonly string[] = []): string[] {
  const plain = tools.map(({ name }) => cleaned(name));
  const count = new Map<string, number>();
  for (const name of [...plain, ...taken]) count.set(name, (count.get(name) ?? 0) + 1);
  const used = new Set(taken);
  return tools.map(({ pluginId, name }, at) => {
    const own = plain[at] ?? cleaned(name);
    const isAlone = count.get(own) === 1;
    return unused(isAlone ? own : cleaned(`${pluginId}__${name}`), used);
  });
}

function cleaned(name: string): string {
  return name.replaceAll(/[^\w-]/g, '_').slice(0, NAME_CHARS_MAX) || '_';
}

function unused(name: string, used: Set<string>): string {
  let free = name;
  for (let number = 2; used.has(free); number++) {
    const ending = `_${String(number)}`;
    free = name.slice(0, NAME_CHARS_MAX - ending.length) + ending;
  }
  used.add(free);
  return free;
}
