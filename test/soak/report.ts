/** The document of a soak: what was run, what came of it, and the plot. */
import type { Environment } from '../../bench/support/environment.ts';
import { figure, plot, signed } from './plot.ts';
import { QUANTITIES, type Quantity, type QuantityName } from './quantities.ts';
import type { SoakRun } from './soak.ts';
import { trendOf, type Trend } from './trend.ts';

export interface SoakResult extends SoakRun {
  seed: number;
  tiers: readonly string[];
  environment: Environment;
  trends: Record<QuantityName, Trend>;
  /** Nothing grows. */
  isFlat: boolean;
}

export function resultOf(
  run: SoakRun,
  about: Pick<SoakResult, 'seed' | 'tiers' | 'environment'>,
): SoakResult {
  const trends = Object.fromEntries(
    QUANTITIES.map((quantity) => [quantity.name, trendOf(pointsOf(run, quantity), quantity)]),
  ) as Record<QuantityName, Trend>;
  const isFlat = Object.values(trends).every((trend) => trend.isFlat);
  return { ...about, isFlat, trends, ...run };
}

/** `flat`, or what grows. */
export function verdictOf({ trends }: SoakResult): string {
  const growing = QUANTITIES.filter(({ name }) => !trends[name].isFlat);
  if (growing.length === 0) return 'flat: nothing grows';
  const said = growing.map(({ name, title, unit }) => {
    const { growth, slopePer1000 } = trends[name];
    return `${title} by ${withUnit(growth, unit)} over the second half (${withUnit(slopePer1000, unit)} per 1,000 restarts)`;
  });
  return `grows: ${said.join('; ')}`;
}

export function plotOf(result: SoakResult): string {
  const { restarts, seconds, tiers, environment } = result;
  const { node, cores, commit } = environment;
  const subtitle = `${tiers.join(' and ')}, ${duration(seconds)}, Node ${node}, ${String(cores)} cores, commit ${commit}; the second half (shaded) is judged`;
  return plot(
    `${figure(restarts)} restarts: ${result.isFlat ? 'nothing grows' : 'something grows'}`,
    subtitle,
    QUANTITIES.map((quantity) => ({
      title: quantity.title,
      unit: quantity.unit,
      points: pointsOf(result, quantity),
      trend: result.trends[quantity.name],
    })),
  );
}

export function markdownOf(result: SoakResult): string {
  const { restarts, seconds, endings, samples, seed, tiers, environment, trends } = result;
  const { node, platform, cpu, cores, memoryGb, commit, at } = environment;
  const rows = QUANTITIES.map((quantity) => {
    const { first, middle, last, slopePer1000, growth, room, isFlat } = trends[quantity.name];
    const unit = quantity.unit && ` (${quantity.unit})`;
    const cells = [first, middle, last].map(figure);
    const verdict = isFlat ? 'flat' : '**grows**';
    return `| ${quantity.title}${unit} | ${cells.join(' | ')} | ${signed(slopePer1000)} | ${signed(growth)} of ${figure(room)} | ${verdict} |`;
  });
  return `# Soak

Written by \`npm run soak\`: what a program holds while its plugins crash and come back, ${figure(restarts)} times.

**${verdictOf(result)}.**

![One panel for each quantity, over ${figure(restarts)} restarts](soak.svg)

| | first | middle | last | per 1,000 restarts | growth of allowed | |
| --- | --: | --: | --: | --: | --: | --- |
${rows.join('\n')}

- **Run.** ${figure(restarts)} restarts in ${duration(seconds)}, of ${tiers.join(' and ')} plugins side by side, seed ${String(seed)}; ${String(samples.length)} samples. Node ${node}, ${platform}, ${cpu}, ${String(cores)} cores, ${String(memoryGb)} GB; commit ${commit}, ${at.slice(0, 10)}.
- **Each time** the next life had to answer before it was ended in turn. ${Object.entries(endings)
    .map(([name, count]) => `${name}: ${figure(count)}`)
    .join('; ')}.
- **A sample** is taken when all plugins run, no call is open and the garbage is collected. It is of the program alone, not of the processes of its plugins; its threads are in its memory.
- **The rule.** The first half warms up: Node's thread pool, compiled code, the thread in reserve, what \`malloc\` keeps. Over the second half the slope is the median of the slopes between all its samples. What it amounts to must be within what is allowed for each quantity (\`test/soak/quantities.ts\`); else the command exits with 1.
`;
}

function pointsOf({ samples }: SoakRun, { name }: { name: QuantityName } & Quantity) {
  return samples.map(({ restarts, [name]: value }) => ({ restarts, value }));
}

function withUnit(value: number, unit: string): string {
  return `${signed(value)}${unit && ` ${unit}`}`;
}

function duration(seconds: number): string {
  return seconds < 90 ? `${figure(seconds)} s` : `${figure(seconds / 60)} min`;
}
