// The one task of this bench: gives its input back, after `spinMs` of work where there is one.
exports.echo = function echo(input) {
  if (input.spinMs !== undefined) {
    const until = performance.now() + input.spinMs;
    while (performance.now() < until);
  }
  return input;
};
