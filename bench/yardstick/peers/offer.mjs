/** What a check asks for and the pool has no words for. */
export class NotOffered extends Error {}

/**
 * The options of a pool, or of its runs, in its own words. What is not in the table is not offered.
 * @param {Record<string, (value: any) => object>} table
 * @param {Record<string, unknown>} wanted
 */
export function translate(table, wanted) {
  const own = {};
  for (const [name, value] of Object.entries(wanted)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(table, name)) throw new NotOffered(`no \`${name}\``);
    for (const [ownName, ownValue] of Object.entries(table[name](value))) {
      own[ownName] = isPlain(own[ownName]) ? { ...own[ownName], ...ownValue } : ownValue;
    }
  }
  return own;
}

function isPlain(value) {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** An option that every pool honours in one of its values. */
export const only = (offered) => (value) => {
  if (value !== offered) throw new NotOffered(`no such value: ${value}`);
  return {};
};

/** What to pass so that a worker has these variables besides those it would have anyway. */
export const inherited = (env) => ({ ...process.env, ...env });
