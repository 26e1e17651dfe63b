/** The plugins and groups of one manager, by id, and what can be asked about them without their threads. */
import { PluginError } from '../protocol/errors.ts';
import type { PluginMetadata, PluginPlan, PluginType } from '../protocol/manifest.ts';
import type { DeadLetter, PluginState } from '../protocol/report.ts';
import { pluginIds } from '../supervisor/group-tree.ts';
import type { Group } from '../supervisor/group.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

export interface PluginListing extends PluginMetadata {
  state: PluginState;
}

export class Registry {
  readonly #supervisors = new Map<string, Supervisor>();

  /** By name; nested ones too. */
  readonly groups = new Map<string, Group>();

  /** @throws PluginError `ALREADY_REGISTERED`: plugins and groups share their names. */
  refuseTaken(id: string): void {
    const kind = this.#supervisors.has(id) ? 'plugin' : this.groups.has(id) ? 'group' : undefined;
    if (kind === undefined) return;
    const remedy = kind === 'plugin' ? 'unregister' : 'close';
    throw new PluginError(
      'ALREADY_REGISTERED',
      `a ${kind} ${id} is registered already; ${remedy} it first, or choose another id`,
      { pluginId: id },
    );
  }

  add(supervisor: Supervisor): void {
    this.#supervisors.set(supervisor.id, supervisor);
  }

  remove(id: string): void {
    this.#supervisors.delete(id);
    for (const group of this.groups.values()) group.drop(id);
  }

  find(id: string): Supervisor | undefined {
    return this.#supervisors.get(id);
  }

  /** @throws PluginError `NOT_FOUND` that names the ids there are. */
  get(id: string): Supervisor {
    const supervisor = this.#supervisors.get(id);
    if (supervisor) return supervisor;
    const known = [...this.#supervisors.keys()].slice(0, IDS_SHOWN_MAX).join(', ');
    throw new PluginError(
      'NOT_FOUND',
      `no plugin ${id} is registered; there ${known ? `are: ${known}` : 'is none'}`,
      { pluginId: id },
    );
  }

  ids(): string[] {
    return [...this.#supervisors.keys()];
  }

  all(): Supervisor[] {
    return [...this.#supervisors.values()];
  }

  /** What each says, by id. */
  async ask<T>(question: (supervisor: Supervisor) => Promise<T>): Promise<Map<string, T>> {
    const answers = this.all().map(async (supervisor): Promise<[string, T]> => [
      supervisor.id,
      await question(supervisor),
    ]);
    return new Map(await Promise.all(answers));
  }

  /** Of one plugin or of all, oldest first. */
  deadLetters(id?: string): DeadLetter[] {
    const supervisors = id === undefined ? this.all() : [this.get(id)];
    return supervisors
      .flatMap(({ dispatcher }) => dispatcher.deadLetters.list())
      .sort((a, b) => a.at - b.at);
  }

  plans(): Map<string, PluginPlan> {
    return new Map(this.all().map((supervisor) => [supervisor.id, supervisor.plan]));
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
