import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import { createDeferred } from '@pawl/core';

/** What Node's HTTP server keeps on a socket, undocumented since its beginning. */
interface HttpSocket extends Socket {
  /** The response under way. */
  readonly _httpMessage?: ServerResponse | null;
  /** The TCP socket under a TLS one. */
  readonly _parent?: Socket | null;
}

interface Connection {
  /** The socket that speaks HTTP: the TCP socket itself or the TLS one on it; undefined while that is unknown. */
  http: HttpSocket | undefined;
  /** Bytes in and out when it was last looked at. */
  bytes: number;
  /** Requests under way that began while we looked. */
  requests: number;
}

/** An HTTP/2 session. Its `close` lets running streams end. */
interface Session {
  close(): void;
  once(event: 'close', listener: () => void): unknown;
}

/** Every connection of a server while it drains, also those made before. */
export class HttpConnections {
  readonly #server: Server;
  readonly #isTls: boolean;
  /** HTTP/2 keeps its requests where they can't be seen from the socket. */
  readonly #isHttp2: boolean;
  /** By TCP socket. */
  readonly #open = new Map<Socket, Connection>();
  /** HTTP/2 sessions seen so far. */
  readonly #sessions = new Set<Session>();
  readonly #empty = createDeferred();
  #watchesEmpty = false;

  constructor(server: Server) {
    this.#server = server;
    this.#isTls = 'setSecureContext' in server;
    this.#isHttp2 = !('closeIdleConnections' in server);
    for (const socket of tcpSocketsOf(server)) this.#add(socket);
    for (const socket of httpSocketsOf(server)) this.#onSecure(socket);
    for (const { http } of this.#open.values()) {
      const response = http?._httpMessage;
      if (response && !response.headersSent) response.shouldKeepAlive = false;
    }
    server.on('connection', this.#add);
    server.on('secureConnection', this.#onSecure);
    server.prependListener('request', this.#onRequest);
    if (!this.#isHttp2) return;
    for (const session of sessionsOf(server, [...this.#open.keys()])) this.#onSession(session);
    server.on('session', this.#onSession);
  }

  /** Resolves as soon as no connection is open. */
  whenEmpty(): Promise<void> {
    this.#watchesEmpty = true;
    if (this.#open.size === 0) this.#empty.resolve();
    return this.#empty.promise;
  }

  /** Lets HTTP/2 sessions end after their requests; closes what carries no request and was silent since last time. */
  closeQuiet(): void {
    for (const session of this.#sessions) session.close();
    if (this.#isHttp2) return;
    for (const [socket, connection] of this.#open) {
      const { http, requests } = connection;
      if (http === undefined) continue;
      const bytes = socket.bytesRead + socket.bytesWritten;
      const isBusy =
        requests > 0 || http._httpMessage || http.writableLength > 0 || socket.writableLength > 0;
      if (!isBusy && bytes === connection.bytes) http.destroySoon();
      connection.bytes = bytes;
    }
  }

  /** Cuts every connection. @returns how many there were */
  cut(): number {
    const { size } = this.#open;
    for (const [socket, { http }] of this.#open) {
      http?.destroy();
      socket.destroy();
    }
    return size;
  }

  dispose(): void {
    this.#server.removeListener('connection', this.#add);
    this.#server.removeListener('secureConnection', this.#onSecure);
    this.#server.removeListener('request', this.#onRequest);
    this.#server.removeListener('session', this.#onSession);
  }

  readonly #add = (socket: Socket): void => {
    if (this.#open.has(socket) || socket.destroyed) return;
    this.#open.set(socket, { http: this.#isTls ? undefined : socket, bytes: -1, requests: 0 });
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#watchesEmpty && this.#open.size === 0) this.#empty.resolve();
    });
  };

  readonly #onSecure = (http: HttpSocket): void => {
    const connection = this.#open.get(tcpSocketUnder(http));
    if (connection !== undefined) connection.http = http;
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.httpVersionMajor > 1) {
      const { session } = (request as unknown as { readonly stream: { readonly session?: Session } }).stream;
      if (session !== undefined) this.#onSession(session);
      return;
    }
    // Makes Node say `Connection: close`, and close the connection once the response is sent.
    response.shouldKeepAlive = false;
    const connection = this.#open.get(tcpSocketUnder(request.socket));
    if (connection === undefined) return;
    connection.requests += 1;
    response.once('close', () => {
      connection.requests -= 1;
    });
  };

  readonly #onSession = (session: Session): void => {
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
  };
}

function tcpSocketUnder(http: HttpSocket): Socket {
  return http._parent ?? http;
}

/** The open sockets of a server; Node offers no documented way to them. */
function tcpSocketsOf(server: Server): readonly Socket[] {
  // https://nodejs.org/api/deprecations.html#dep0161: deprecated in the documentation only, as others rely on it.
  const { _getActiveHandles: handles } = process as unknown as {
    readonly _getActiveHandles?: () => unknown[];
  };
  if (handles === undefined) return [];
  return handles
    .call(process)
    .filter((handle) => (handle as { readonly server?: unknown } | null)?.server === server) as Socket[];
}

/** The HTTP/2 sessions: Node 24 lists them, older ones leave them on their sockets if those are not encrypted. */
function sessionsOf(server: Server, sockets: readonly Socket[]): readonly Session[] {
  const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'sessions');
  if (key !== undefined) return [...((server as unknown as Record<symbol, Iterable<Session>>)[key] ?? [])];
  return sockets.flatMap((socket) => Object.values(socket).filter(isSession));
}

function isSession(value: unknown): value is Session {
  const { close, goaway } = (value ?? {}) as { readonly close?: unknown; readonly goaway?: unknown };
  return typeof close === 'function' && typeof goaway === 'function';
}

/** The sockets that speak HTTP/1, over TLS too; none when this Node hides them. Then TLS ones last to the timeout. */
function httpSocketsOf(server: Server): readonly HttpSocket[] {
  const key = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'http.server.connections',
  );
  const list = (
    server as unknown as Record<symbol, { all?: () => { readonly socket?: HttpSocket }[] } | undefined>
  )[key ?? Symbol.for('none')];
  return (list?.all?.() ?? []).flatMap(({ socket }) => (socket ? [socket] : []));
}
