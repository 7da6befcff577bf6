import { appendFileSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogPageView, logPage } from '../src/api/run-schemas.ts';
import { NO_PROC, until } from './processes.ts';
import {
  ended,
  follow,
  type Following,
  runToEnd,
  script,
  sha256,
  shell,
  submit,
  textsOf,
  untilPrints,
} from './run-client.ts';
import { type ProblemBody, type Service, startService } from './start-service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.dispose());

const pageOf = async (id: string, query = ''): Promise<LogPageView> =>
  (await service.request<LogPageView>('GET', `/v1/runs/${id}/logs?${query}`)).body;

describe('GET /v1/runs/:id/logs', { concurrent: true }, () => {
  it('gives the latest lines, and those after a moment', async () => {
    const { id } = await runToEnd(
      service,
      shell('for i in 1 2 3; do echo line $i; done; sleep 0.05; echo ERROR last >&2'),
    );
    const all = await pageOf(id);
    expect(logPage.strict().safeParse(all).error).toBeUndefined();
    expect(all).toMatchObject({
      runId: id,
      attempt: 1,
      complete: true,
      endOffset: all.entries.at(-1)?.nextOffset,
    });
    expect(all.entries.map(({ text, stream, level }) => [text, stream, level])).toEqual([
      ['line 1', 'stdout', 'INFO'],
      ['line 2', 'stdout', 'INFO'],
      ['line 3', 'stdout', 'INFO'],
      ['ERROR last', 'stderr', 'ERROR'],
    ]);
    expect((await pageOf(id, 'tail=2')).entries.map(({ text }) => text)).toEqual(['line 3', 'ERROR last']);
    const since = encodeURIComponent(all.entries[2]?.at ?? '');
    expect((await pageOf(id, `since=${since}`)).entries.map(({ text }) => text)).toEqual(['ERROR last']);
  });

  it('has a log for each attempt', async () => {
    const again = script(service, 'again.sh', 'echo "try of $$"; exit 1');
    const { id } = await runToEnd(service, { script: { path: again }, maxAttempts: 2 });
    const [first, second, latest] = [
      await pageOf(id, 'attempt=1'),
      await pageOf(id, 'attempt=2'),
      await pageOf(id),
    ];
    expect(first.entries[0]?.text).not.toBe(second.entries[0]?.text);
    expect(latest).toEqual(second);
    const { status, body } = await service.request<ProblemBody>('GET', `/v1/runs/${id}/logs?attempt=3`);
    expect([status, body.code]).toEqual([404, 'ATTEMPT_NOT_FOUND']);
  });

  it('is empty for a run that has not begun', async () => {
    const { id } = await submit(service, shell('true', { delayMs: 60_000 }));
    expect(await pageOf(id)).toEqual({ runId: id, attempt: 0, entries: [], complete: false, endOffset: 0 });
    await service.request('POST', `/v1/runs/${id}/cancel`);
    expect(await pageOf(id)).toMatchObject({ complete: true });
  });

  it.each(['tail=0', 'tail=10001', 'since=now', 'attempt=0', 'from=3'])('refuses %s', async (query) => {
    const { id } = await runToEnd(service, shell('true'));
    expect((await service.request('GET', `/v1/runs/${id}/logs?${query}`)).status).toBe(400);
  });
});

describe('GET /v1/runs/:id/logs/download', { concurrent: true }, () => {
  it('gives the bytes as they were written', async () => {
    const pieces = [
      Buffer.from([0xff, 0xfe, 0x00, 0x0a]),
      Buffer.from('50%\r51%\r100%\r\n\u001B[31mred\u001B[0m 😀 ü\n'),
      Buffer.from([0xe2, 0x82]),
      Buffer.alloc(200_000, 'x'),
      Buffer.from('\n\n no end'),
    ];
    const path = join(service.dataDir, 'bytes.bin');
    for (const piece of pieces) appendFileSync(path, piece);
    const { id } = await runToEnd(service, {
      command: { file: 'sh', args: ['-c', `cat ${path}; echo other >&2`] },
    });
    const response = await fetch(`${service.url}/v1/runs/${id}/logs/download?stream=stdout`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${id}.stdout.log"`,
      'x-content-type-options': 'nosniff',
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(sha256(bytes)).toBe(sha256(readFileSync(path)));
    const stderr = await fetch(`${service.url}/v1/runs/${id}/logs/download?stream=stderr`);
    expect(await stderr.text()).toBe('other\n');
    const both = await (await fetch(`${service.url}/v1/runs/${id}/logs/download`)).arrayBuffer();
    expect(both.byteLength).toBe(bytes.byteLength + 6);
  });
});

describe('GET /v1/runs/:id/logs/stream', { concurrent: true }, () => {
  it('gives what there is, then what comes, then the end', async () => {
    const { id } = await submit(service, shell('echo first; read line; echo second'));
    const { id: gate } = await submit(service, shell('true', { delayMs: 60_000 }));
    await untilPrints(service, id, 'first');
    const log = await follow(service, `/v1/runs/${id}/logs/stream`);
    expect([log.status, log.headers.get('content-type'), log.headers.get('cache-control')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ]);
    await log.ended;
    expect(textsOf(log)).toEqual(['first', 'second']);
    expect(JSON.parse(log.events.at(-1)?.data ?? '')).toEqual({ state: 'succeeded' });
    expect(JSON.parse(log.events[0]?.data ?? '')).toEqual({
      at: expect.any(String),
      level: 'INFO',
      stream: 'stdout',
      text: 'first',
      endsLine: true,
    });
    await service.request('POST', `/v1/runs/${gate}/cancel`);
  });

  it('waits for a run that has not begun, and ends with one that never does', async () => {
    const later = await submit(service, shell('echo begun', { delayMs: 300 }));
    const never = await submit(service, shell('echo begun', { delayMs: 60_000 }));
    const [first, second] = await Promise.all(
      [later, never].map(({ id }) => follow(service, `/v1/runs/${id}/logs/stream`)),
    );
    await first?.ended;
    expect(first && textsOf(first)).toEqual(['begun']);
    await service.request('POST', `/v1/runs/${never.id}/cancel`);
    await second?.ended;
    expect(second?.events.map(({ event, data }) => [event, data])).toEqual([
      ['complete', '{"state":"cancelled"}'],
    ]);
  });

  it('loses nothing and gives nothing twice, however often it is cut', async () => {
    const path = script(
      service,
      'counter.sh',
      'i=0; while [ $i -lt 300 ]; do echo "n $i"; i=$((i+1)); sleep 0.002; done',
    );
    const { id } = await submit(service, { script: { path } });
    const texts: string[] = [];
    let last: string | undefined;
    let cuts = 0;
    for (let isOver = false; !isOver; cuts += 1) {
      const headers = last === undefined ? {} : { 'last-event-id': last };
      const log: Following = await follow(service, `/v1/runs/${id}/logs/stream`, headers);
      await until(
        'some come',
        () => log.events.length > 12 || log.events.some(({ event }) => event === 'complete'),
      );
      log.close();
      isOver = log.events.some(({ event }) => event === 'complete');
      texts.push(...textsOf(log));
      last = log.events.at(-1)?.id ?? last;
    }
    expect(texts).toEqual(Array.from({ length: 300 }, (_, n) => `n ${n}`));
    expect(cuts).toBeGreaterThanOrEqual(5);
    // Who has seen it all need not come back.
    const seen = await fetch(`${service.url}/v1/runs/${id}/logs/stream`, {
      headers: { 'last-event-id': last ?? '' },
    });
    expect(seen.status).toBe(204);
  });

  it('goes on from an offset, and refuses one that is none', async () => {
    const { id } = await runToEnd(service, shell('echo one; echo two'));
    const { entries, endOffset } = await pageOf(id);
    const log = await follow(service, `/v1/runs/${id}/logs/stream?from=${entries[0]?.nextOffset}`);
    await log.ended;
    expect(textsOf(log)).toEqual(['two']);
    for (const from of [1, endOffset + 1, 1e15]) {
      const { status, body } = await service.request<ProblemBody>(
        'GET',
        `/v1/runs/${id}/logs/stream?from=${from}`,
      );
      expect([status, body.errors?.[0]?.field]).toEqual([400, 'from']);
    }
  });
});

describe('many who follow', () => {
  it(
    'get all of it soon, also beside one who does not read, and leave nothing behind',
    { timeout: 30_000 },
    async () => {
      const LINES = 4_000;
      const line = 'x'.repeat(180);
      const path = script(service, 'much.sh', `read start < "$1"; yes ${line} | head -n ${LINES}; echo end`);
      const gate = join(service.dataDir, 'gate');
      const { id } = await submit(service, {
        command: { file: 'sh', args: ['-c', `mkfifo ${gate}; echo up; sh ${path} ${gate}`] },
      });
      await untilPrints(service, id, 'up');

      const slow = connect(service.port, '127.0.0.1');
      slow.write(`GET /v1/runs/${id}/logs/stream HTTP/1.1\r\nhost: localhost\r\n\r\n`);
      await until('the slow one is served', () => slow.readableLength > 0 || slow.bytesRead > 0);
      slow.pause();
      const readers = await Promise.all(
        Array.from({ length: 50 }, () => follow(service, `/v1/runs/${id}/logs/stream`)),
      );
      const memoryBefore = residentBytes(service.pid);
      await runToEnd(service, shell(`echo go > ${gate}`));
      const run = await ended(service, id);
      // The run does not wait for its readers.
      expect(run.state).toBe('succeeded');
      await Promise.all(readers.map((reader) => reader.ended));
      for (const reader of readers) {
        const texts = textsOf(reader);
        expect([texts.length, texts[0], texts.at(-1)]).toEqual([LINES + 2, 'up', 'end']);
        expect(reader.events.at(-1)?.event).toBe('complete');
      }
      // 1 MB for each of 51 readers: what one does not read is in the file, not in memory.
      expect(residentBytes(service.pid) - memoryBefore).toBeLessThan(100 * 1024 * 1024);
      slow.destroy();
      for (const reader of readers) reader.close();
      await until('no log is open', () => openLogsOf(service.pid) === 0);
    },
  );
});

/** How many logs a process has open. */
function openLogsOf(pid: number): number {
  if (NO_PROC !== '') return 0;
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`).endsWith('.log'))
    .length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed while we looked.
    return '';
  }
}

function residentBytes(pid: number): number {
  if (NO_PROC !== '') return 0;
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
