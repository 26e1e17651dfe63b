import { readFileSync, readdirSync } from 'node:fs';
import { readCorpus } from './documents.ts';
import { runActors } from './runs/actors.ts';
const c = await readCorpus('node_modules', Infinity);
const threads = () => Object.fromEntries(readdirSync('/proc/self/task').map((t) => { const s = readFileSync(`/proc/self/task/${t}/stat`, 'utf8'); const f = s.slice(s.lastIndexOf(')') + 2).split(' '); return [t + s.slice(s.indexOf('('), s.lastIndexOf(')') + 1), Number(f[11]) * 10 + Number(f[12]) * 10]; }));
let last = {};
const r = await runActors(c.documents, { say() {}, progress() { last = threads(); }, settle(p) { last = threads(); console.log(p.plugins.map((x) => [x.plugin, x.cpu.toFixed(2)]).join(' ')); }, report() {} }, { withFaults: false });
console.log(Math.round(r.ms), r.startUpMs, Object.entries(last).filter((x) => x[1] as number > 20).map((x) => x.join(' ')).join('\n'), process.cpuUsage());
