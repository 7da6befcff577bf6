import type { EntryHead, KeyedHead, StoreReport, StoreUsage } from '@pawl/caching';
import { type CacheRow, headOf, keyOf } from './cache-rows.ts';
import type { SqlRow } from './sqlite-driver.ts';
import type { Statements } from './statements.ts';

export interface CacheLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** What a call that looks at many entries brings. */
export interface Looked<R> {
  readonly result: R;
  /** The keys of entries that were damaged, and are dropped; undefined when the key itself is beyond reading. */
  readonly damaged: readonly (string | undefined)[];
}

interface SoundRow {
  readonly sequence: number;
  readonly entry: KeyedHead;
}

/** The columns of all that is known of an entry without its content. */
const HEAD = 'seq, key, head, content_digest, digest';

// The tables of a cache. What changes something is part of the transaction that is open.

/** The entry's row with its content, which is null if it is missing. */
export function findEntry(sql: Statements, keyText: string): SqlRow | undefined {
  return sql.get('SELECT * FROM cache_entries LEFT JOIN cache_contents USING (seq) WHERE key = ?', keyText);
}

/** Makes these entries the most recently used ones, the last one most of all. */
export function useEntries(sql: Statements, keyTexts: Iterable<string>): void {
  for (const keyText of keyTexts) {
    sql.run(
      'UPDATE cache_entries SET used = (SELECT max(used) FROM cache_entries) + 1 WHERE key = ?',
      keyText,
    );
  }
}

/** Stores an entry in place of what its key held; the least recently used ones make room for it. */
export function putEntry(
  sql: Statements,
  row: CacheRow,
  { maxEntries, maxBytes }: CacheLimits,
): Looked<StoreReport> {
  const replaced = removeEntry(sql, row.key);
  if (row.bytes > maxBytes) return { result: { stored: false, replaced, evicted: [] }, damaged: [] };
  const leaving: SqlRow[] = [];
  for (let usage = usageOf(sql); ; usage = usageOf(sql)) {
    if (usage.entries < maxEntries && usage.bytes + row.bytes <= maxBytes) break;
    const oldest = sql.get(
      `DELETE FROM cache_entries WHERE seq = (SELECT seq FROM cache_entries ORDER BY used LIMIT 1) RETURNING ${HEAD}`,
    );
    if (oldest === undefined) break;
    leaving.push(oldest);
  }
  const added = sql.get(
    `INSERT INTO cache_entries (key, used, bytes, head, content_digest, digest)
     VALUES (?, (SELECT coalesce(max(used), 0) FROM cache_entries) + 1, ?, ?, ?, ?) RETURNING seq`,
    row.key,
    row.bytes,
    row.head,
    row.contentDigest,
    row.digest,
  );
  sql.run('INSERT INTO cache_contents VALUES (?, ?)', Number(added?.['seq']), row.content);
  const { sound, damaged } = sorted(leaving);
  const evicted = sound.map(({ entry }) => entry);
  return { result: { stored: true, replaced, evicted }, damaged: damaged.map(keyOf) };
}

/** @returns what the key held, unless it was damaged */
export function removeEntry(sql: Statements, keyText: string): EntryHead | undefined {
  const row = sql.get(`DELETE FROM cache_entries WHERE key = ? RETURNING ${HEAD}`, keyText);
  return row === undefined ? undefined : headOf(row);
}

/** Removes a damaged entry. @returns false when another one took its place meanwhile */
export function dropEntry(sql: Statements, { key, content_digest: contentDigest, digest }: SqlRow): boolean {
  const row = sql.get(
    'DELETE FROM cache_entries WHERE key = ? AND content_digest = ? AND digest = ? RETURNING seq',
    key ?? null,
    contentDigest ?? null,
    digest ?? null,
  );
  return row !== undefined;
}

/** Removes all that match; all are asked before any leaves. */
export function removeWhere(
  sql: Statements,
  matches: (key: string, head: EntryHead) => boolean,
): Looked<readonly KeyedHead[]> {
  const { sound, damaged } = sorted(allRows(sql));
  const matching = sound.filter(({ entry: [key, head] }) => matches(key, head));
  for (const { sequence } of matching) removeRow(sql, sequence);
  for (const row of damaged) removeRow(sql, Number(row['seq']));
  return { result: matching.map(({ entry }) => entry), damaged: damaged.map(keyOf) };
}

/** All entries, least recently used first. */
export function listEntries(sql: Statements): Looked<readonly KeyedHead[]> {
  const { sound, damaged } = sorted(allRows(sql));
  for (const row of damaged) removeRow(sql, Number(row['seq']));
  return { result: sound.map(({ entry }) => entry), damaged: damaged.map(keyOf) };
}

export function usageOf(sql: Statements): StoreUsage {
  const row = sql.get('SELECT entries, bytes FROM cache_usage');
  return { entries: Number(row?.['entries']), bytes: Number(row?.['bytes']) };
}

function allRows(sql: Statements): readonly SqlRow[] {
  return sql.all(`SELECT ${HEAD} FROM cache_entries ORDER BY used`);
}

function sorted(rows: readonly SqlRow[]): {
  readonly sound: readonly SoundRow[];
  readonly damaged: readonly SqlRow[];
} {
  const sound: SoundRow[] = [];
  const damaged: SqlRow[] = [];
  for (const row of rows) {
    const [key, head] = [keyOf(row), headOf(row)];
    if (key === undefined || head === undefined) damaged.push(row);
    else sound.push({ sequence: Number(row['seq']), entry: [key, head] });
  }
  return { sound, damaged };
}

function removeRow(sql: Statements, sequence: number): void {
  sql.run('DELETE FROM cache_entries WHERE seq = ?', sequence);
}
