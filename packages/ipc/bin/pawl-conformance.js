#!/usr/bin/env node
import { existsSync } from 'node:fs';

const cli = new URL('../dist/conformance/cli.js', import.meta.url);
if (existsSync(cli)) {
  const { runCli } = await import(cli.href);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => stop.abort());
  const exitCode = await runCli(process.argv.slice(2), {
    environment: process.env,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    signal: stop.signal,
  });
  process.exitCode = stop.signal.aborted ? 130 : exitCode;
} else {
  console.error('pawl-conformance: not built yet. Run `npm run build` first.');
  process.exitCode = 70;
}
