import { basics } from './basics.mjs';
import { boot } from './boot.mjs';
import { cancel } from './cancel.mjs';
import { crash } from './crash.mjs';
import { data } from './data.mjs';
import { descendants } from './descendants.mjs';
import { errors } from './errors.mjs';
import { host } from './host.mjs';
import { output } from './output.mjs';
import { queue } from './queue.mjs';
import { recycle } from './recycle.mjs';
import { reports } from './reports.mjs';
import { sizing } from './sizing.mjs';
import { stop } from './stop.mjs';
import { timeouts } from './timeouts.mjs';

/**
 * @typedef {object} Check
 * @property {string} id
 * @property {string} rule what a good pool does
 * @property {string} source where it comes from: numbers of sources.mjs
 * @property {number} [limitMs] when a run of the check counts as hung
 * @property {(tools: object) => Promise<void>} run throws Observed when a pool does otherwise, NotOffered when it has no
 * words for it
 */

/** @type {readonly { theme: string, checks: readonly Check[] }[]} */
export const themes = [
  basics,
  sizing,
  queue,
  cancel,
  timeouts,
  descendants,
  crash,
  boot,
  stop,
  host,
  recycle,
  data,
  errors,
  output,
  reports,
];

export const checks = themes.flatMap((theme) => theme.checks);
