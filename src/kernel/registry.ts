/** The plugins of one manager, by id, and what can be asked about them without their threads. */
import { PluginError } from '../protocol/errors.ts';
import type { PluginMetadata, PluginPlan, PluginType } from '../protocol/manifest.ts';
import type { PluginState } from '../protocol/report.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

export interface PluginListing extends PluginMetadata {
  state: PluginState;
}

export class Registry {
  readonly #supervisors = new Map<string, Supervisor>();

  add(supervisor: Supervisor): void {
    this.#supervisors.set(supervisor.id, supervisor);
  }

  remove(id: string): void {
    this.#supervisors.delete(id);
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

  plans(): Map<string, PluginPlan> {
    return new Map(this.all().map((supervisor) => [supervisor.id, supervisor.plan]));
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
