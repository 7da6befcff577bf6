// A file of functions: it is loaded once by each warm worker.
const stopWords = new Set(['the', 'a', 'of', 'and']);

export function count({ text }) {
  return text.split(/\W+/).filter((word) => word !== '' && !stopWords.has(word.toLowerCase())).length;
}
