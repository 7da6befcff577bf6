// What the benches send.

/** As small as a useful input gets. */
export const tiny = { a: 1 };

/** About so many bytes of JSON as services pass it around: records with numbers, texts, a flag and a short list. */
export function records(bytes) {
  const all = [];
  for (let size = 0, id = 1; size < bytes; id += 1) {
    const record = {
      id,
      name: `customer ${id}`,
      balance: id * 1.37,
      active: id % 3 === 0,
      tags: ['new', 'eu'],
      at: '2026-01-31T10:00:00Z',
    };
    all.push(record);
    size += JSON.stringify(record).length + 1;
  }
  return all;
}

/** One text of so many bytes. */
export const text = (bytes) => ({ text: 'x'.repeat(bytes) });
