/** Who is compared: Troupe, the floor, and the peers, each with its best settings. */
import { bare } from './bare.ts';
import { comlink } from './comlink.ts';
import type { Contender } from './contender.ts';
import { piscina } from './piscina.ts';
import { poolifier } from './poolifier.ts';
import { tinypool } from './tinypool.ts';
import { troupe } from './troupe.ts';
import { workerpool } from './workerpool.ts';

export const PEERS: readonly Contender[] = [piscina, tinypool, workerpool, poolifier, comlink];
export const CONTENDERS: readonly Contender[] = [troupe, bare, ...PEERS];
