/** Several peers as one: each call goes to the one with the fewest open calls, as a pool would do it. */
export function balanced(links) {
  const open = links.map(() => 0);
  return {
    async call(input) {
      const index = open.indexOf(Math.min(...open));
      open[index] += 1;
      try {
        return await links[index].call(input);
      } finally {
        open[index] -= 1;
      }
    },
    end: () => Promise.all(links.map((link) => link.end())),
  };
}
