// A loopback npm registry that lives in memory: enough for `npm publish`, `npm view` and `npm install`.
import { createServer } from 'node:http';

/** @returns its URL, and a function that ends it */
export async function startRegistry(port = 0) {
  /** Package name → its document, as npm asks for it. */
  const documents = new Map();
  /** Path → tarball. */
  const tarballs = new Map();
  const server = createServer((request, response) => {
    const json = (status, value) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    answer(request, response, json).catch((error) => json(500, { error: String(error) }));
  });

  async function answer(request, response, json) {
    const path = decodeURIComponent(new URL(request.url, 'http://local').pathname).slice(1);
    if (path === '-/ping') return json(200, {});
    if (path === '-/whoami') return json(200, { username: 'local' });
    if (path.includes('/-/')) {
      const file = tarballs.get(path);
      if (file === undefined) return json(404, { error: 'not found' });
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.length });
      return response.end(file);
    }
    if (request.method === 'PUT') return publish(path, JSON.parse(await bodyOf(request)), json);
    const document = documents.get(path);
    return document === undefined ? json(404, { error: 'not found' }) : json(200, document);
  }

  function publish(name, sent, json) {
    const empty = { _id: name, name, 'dist-tags': {}, versions: {}, time: {} };
    const document = documents.get(name) ?? empty;
    for (const [version, manifest] of Object.entries(sent.versions)) {
      if (version in document.versions)
        return json(409, { error: `${name}@${version} is already published` });
      const [[file, { data }]] = Object.entries(sent._attachments);
      const path = `${name}/-/${file.split('/').pop()}`;
      tarballs.set(path, Buffer.from(data, 'base64'));
      manifest.dist.tarball = `http://127.0.0.1:${server.address().port}/${path}`;
      document.versions[version] = manifest;
      document.time[version] = new Date().toISOString();
    }
    Object.assign(document['dist-tags'], sent['dist-tags']);
    documents.set(name, document);
    return json(201, { ok: true });
  }

  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}
