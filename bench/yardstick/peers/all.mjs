import { broken } from './broken.mjs';
import { jestWorker } from './jest-worker.mjs';
import { pawl } from './pawl.mjs';
import { piscina } from './piscina.mjs';
import { poolifier } from './poolifier.mjs';
import { tinypool } from './tinypool.mjs';
import { workerPool } from './workerpool.mjs';

/** The columns of the table. */
export const contestants = [pawl, piscina, tinypool, workerPool, poolifier, jestWorker];

export const peers = Object.fromEntries([...contestants, broken].map((peer) => [peer.name, peer]));
