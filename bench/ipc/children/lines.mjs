// The other end of lines.mjs: gives the text of each line back as it came, under its id.
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Answers that go out in one write. */
const BATCH = 16;

let rest = '';
new Socket({ fd: 0, readable: true, writable: false }).on('data', (chunk) => {
  const text = rest + chunk.latin1Slice();
  let from = 0;
  let answers = '';
  let count = 0;
  for (let end = text.indexOf('\n', rest.length); end !== -1; end = text.indexOf('\n', from)) {
    const comma = text.indexOf(',', from);
    // After `,"method":"echo"`.
    const params = text.indexOf(':', comma + 18) + 1;
    answers += `${text.slice(from, comma)},"result":${text.slice(params, end - 1)}}\n`;
    count += 1;
    if (count % BATCH === 0) {
      writeSync(3, Buffer.from(answers, 'latin1'));
      answers = '';
    }
    from = end + 1;
  }
  rest = text.slice(from);
  if (answers !== '') writeSync(3, Buffer.from(answers, 'latin1'));
});
