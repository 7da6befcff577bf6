// Prints the time, again and again: `node ticking.mjs <lines> <every ms>`. Whoever reads a line knows how old it is.
const [lines, everyMs] = process.argv.slice(2).map(Number);
let printed = 0;
const timer = setInterval(() => {
  console.log(performance.timeOrigin + performance.now());
  printed += 1;
  if (printed === lines) clearInterval(timer);
}, everyMs);
