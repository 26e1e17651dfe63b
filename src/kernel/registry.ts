/** The plugins and groups of one manager, by id, and what can be asked about them without their threads. */
import { PluginError } from '../protocol/errors.ts';
import type { PluginPlan, PluginType } from '../protocol/manifest.ts';
import type { DeadLetter, PluginListing } from '../protocol/report.ts';
import { pluginIds } from '../supervisor/group-tree.ts';
import type { Group } from '../supervisor/group.ts';
import type { Keeper } from '../supervisor/keeper.ts';

export class Registry {
  readonly #keepers = new Map<string, Keeper>();

  /** By name; nested ones too. */
  readonly groups = new Map<string, Group>();

  /** @throws PluginError `ALREADY_REGISTERED`: plugins and groups share their names. */
  refuseTaken(id: string): void {
    const kind = this.#keepers.has(id) ? 'plugin' : this.groups.has(id) ? 'group' : undefined;
    if (kind === undefined) return;
    const remedy = kind === 'plugin' ? 'unregister' : 'close';
    throw new PluginError(
      'ALREADY_REGISTERED',
      `a ${kind} ${id} is registered already; ${remedy} it first, or choose another id`,
      { pluginId: id },
    );
  }

  add(keeper: Keeper): void {
    this.#keepers.set(keeper.id, keeper);
  }

  remove(id: string): void {
    this.#keepers.delete(id);
    for (const group of this.groups.values()) group.drop(id);
  }

  find(id: string): Keeper | undefined {
    return this.#keepers.get(id);
  }

  /** @throws PluginError `NOT_FOUND` that names the ids there are. */
  get(id: string): Keeper {
    const keeper = this.#keepers.get(id);
    if (keeper) return keeper;
    const known = [...this.#keepers.keys()].slice(0, IDS_SHOWN_MAX).join(', ');
    throw new PluginError(
      'NOT_FOUND',
      `no plugin ${id} is registered; there ${known ? `are: ${known}` : 'is none'}`,
      { pluginId: id },
    );
  }

  ids(): string[] {
    return [...this.#keepers.keys()];
  }

  all(): Keeper[] {
    return [...this.#keepers.values()];
  }

  /** What each says, by id. */
  async ask<T>(question: (keeper: Keeper) => Promise<T>): Promise<Map<string, T>> {
    const answers = this.all().map(async (keeper): Promise<[string, T]> => [
      keeper.id,
      await question(keeper),
    ]);
    return new Map(await Promise.all(answers));
  }

  /** Of one plugin or of all, oldest first. */
  deadLetters(id?: string): DeadLetter[] {
    const keepers = id === undefined ? this.all() : [this.get(id)];
    return keepers.flatMap((keeper) => keeper.deadLetters()).sort((a, b) => a.at - b.at);
  }

  plans(): Map<string, PluginPlan> {
    return new Map(this.all().map((keeper) => [keeper.id, keeper.plan]));
  }

  /** The name of the group that a plugin is a child of. */
  groupOf(id: string): string | undefined {
    const groups = [...this.groups.values()];
    return groups.find(({ members }) => members.some((member) => member.id === id))?.id;
  }

  /** The plugins of each group in start order. */
  sequences(): string[][] {
    return [...this.groups.values()].map(pluginIds);
  }

  list(): PluginListing[] {
    return this.all().map(({ plan, state }) =>
      Object.assign(structuredClone(plan.metadata), { state }),
    );
  }

  byType(type: PluginType): string[] {
    return this.#idsWhere(({ metadata }) => metadata.type === type);
  }

  byCapability(name: string): string[] {
    return this.#idsWhere(({ metadata }) => metadata.capabilities.includes(name));
  }

  #idsWhere(matches: (plan: PluginPlan) => boolean): string[] {
    return this.all().flatMap(({ id, plan }) => (matches(plan) ? [id] : []));
  }
}

const IDS_SHOWN_MAX = 20;
