/**
 * How far a name is from what somebody typed: 0 when it begins so, 1 when a word of it does, 2 when it holds it,
 * 3 when the letters come in this order, else `Infinity`.
 */
export function distanceOf(name: string, typed: string): number {
  const text = name.toLowerCase();
  const wanted = typed.trim().toLowerCase();
  if (text.startsWith(wanted)) return 0;
  if (text.includes(` ${wanted}`)) return 1;
  if (text.includes(wanted)) return 2;
  let from = 0;
  for (const letter of wanted.replaceAll(' ', '')) {
    from = text.indexOf(letter, from) + 1;
    if (from === 0) return Infinity;
  }
  return 3;
}
