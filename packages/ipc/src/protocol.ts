import { type Connection, type ConnectionOptions, createConnection } from './connection.ts';
import type { InboundContext } from './inbound-calls.ts';
import type { Call, CallOptions, RequestOptions } from './outbound-calls.ts';
import type { Transport } from './transport.ts';

/**
 * What each side takes, as types alone:
 * `{ worker: { methods: { name: { params, result, notifications } }, notifications: { name: params } }, host: … }`.
 * Every part may be left out. A method's `notifications` are those about a request of it, such as its progress. A
 * method marked optional (`name?:`) needs no handler: not every worker has it. A misspelt key is a type error.
 */
export type Contract<C> = {
  readonly [Key in keyof C]: Key extends 'host' | 'worker' ? SideContract<C[Key]> : never;
};

type SideContract<Side> = {
  readonly [Key in keyof Side]: Key extends 'methods'
    ? { readonly [Method in keyof Side[Key]]: MethodContract<Side[Key][Method]> }
    : Key extends 'notifications'
      ? object
      : never;
};

type MethodContract<Method> = {
  readonly [Key in keyof Method]: Key extends 'params' | 'result'
    ? unknown
    : Key extends 'notifications'
      ? { readonly [Name in keyof Method[Key]]: object }
      : never;
};

/** Has no keys. */
type Nothing = object;
type At<Type, Key extends string, Otherwise> =
  Type extends Readonly<Record<Key, infer Value>> ? Value : Otherwise;
type NameOf<Type> = keyof Type & string;
type Methods<Side> = At<Side, 'methods', Nothing>;
type MethodOf<Side, Method extends keyof Methods<Side>> = NonNullable<Methods<Side>[Method]>;
type Notifications<Side> = At<Side, 'notifications', Nothing>;
type Params<Method> = At<Method, 'params', undefined>;
/** A method without a result gives `undefined`, or `null` where the far side can't tell the two apart. */
type Result<Method> = At<Method, 'result', null | undefined>;
type About<Method> = At<Method, 'notifications', Nothing>;

/** Parameters may be left out where `undefined` would do. */
type Arguments<Value, Rest extends readonly unknown[]> = undefined extends Value
  ? [params?: Value, ...rest: Rest]
  : [params: Value, ...rest: Rest];

/** One tuple for each name, so that a check of the name tells the type of the parameters. */
type Received<All> = {
  [Each in NameOf<All>]: [method: Each, params: All[Each] & { readonly id: number }];
}[NameOf<All>];

/** Options of a call whose notifications are known. Others may come all the same: the far side is not checked. */
type Listening<How extends CallOptions, All> = Omit<How, 'onNotification'> & {
  readonly onNotification?: (...received: Received<All>) => void;
};

/** A request under way whose result is known. */
export interface TypedCall<Value> extends Call {
  readonly response: Promise<Value>;
}

/** A connection that knows what its own side takes (`Near`) and what the far side takes (`Far`). */
export interface TypedConnection<Near, Far> extends Omit<
  Connection,
  'request' | 'call' | 'notify' | 'onNotification'
> {
  /** As `Connection.request`. */
  request<Method extends NameOf<Methods<Far>>>(
    method: Method,
    ...rest: Arguments<
      Params<MethodOf<Far, Method>>,
      [options?: Listening<RequestOptions, About<MethodOf<Far, Method>>>]
    >
  ): Promise<Result<MethodOf<Far, Method>>>;
  /** As `Connection.call`. */
  call<Method extends NameOf<Methods<Far>>>(
    method: Method,
    ...rest: Arguments<
      Params<MethodOf<Far, Method>>,
      [options?: Listening<CallOptions, About<MethodOf<Far, Method>>>]
    >
  ): TypedCall<Result<MethodOf<Far, Method>>>;
  /** As `Connection.notify`. */
  notify<Method extends NameOf<Notifications<Far>>>(
    method: Method,
    ...rest: Arguments<Notifications<Far>[Method], []>
  ): Promise<void>;
  /** As `Connection.onNotification`. */
  onNotification<Method extends Handled<Near>>(
    method: Method,
    handler: (params: Notifications<Near>[Method]) => unknown,
  ): () => void;
}

/** Every connection handles `cancel` by itself. */
type Handled<Near> = Exclude<NameOf<Notifications<Near>>, 'cancel'>;

/** What a method gets besides its parameters, when the notifications about it are known. */
export interface TypedContext<All> extends Omit<InboundContext, 'notify'> {
  /** As `InboundContext.notify`. */
  readonly notify: <Each extends NameOf<All>>(method: Each, params: All[Each]) => Promise<void>;
}

type Handler<Method> = (
  params: Params<Method>,
  context: TypedContext<About<Method>>,
) => Answer<Method> | Promise<Answer<Method>>;

// oxlint-disable-next-line typescript/no-invalid-void-type -- a handler without a result may return nothing
type Answer<Method> = Method extends { readonly result: infer Value } ? Value : void;

/** Options of `createConnection`, with a handler for each method of this side. */
export type TypedConnectionOptions<Near> = Omit<ConnectionOptions, 'methods' | 'notifications'> & {
  readonly notifications?: {
    readonly [Method in Handled<Near>]?: (params: Notifications<Near>[Method]) => unknown;
  };
} & ([NameOf<Methods<Near>>] extends [never]
    ? { readonly methods?: Readonly<Record<string, never>> }
    : { readonly methods: { readonly [Method in keyof Methods<Near>]: Handler<MethodOf<Near, Method>> } });

/** May be left out as a whole where nothing in it is required. */
type Options<Near> = [NameOf<Methods<Near>>] extends [never]
  ? [options?: TypedConnectionOptions<Near>]
  : [options: TypedConnectionOptions<Near>];

type Host<C> = At<C, 'host', Nothing>;
type Worker<C> = At<C, 'worker', Nothing>;

/** The two sides of a contract. All of this is types: at run time these are `createConnection` and the connection itself. */
export interface Protocol<C> {
  /** As `createConnection`, for the host's side. */
  createHost(transport: Transport, ...options: Options<Host<C>>): TypedConnection<Host<C>, Worker<C>>;
  /** As `createConnection`, for the worker's side. */
  createWorker(transport: Transport, ...options: Options<Worker<C>>): TypedConnection<Worker<C>, Host<C>>;
  /** The very connection, with the types of the host's side. */
  asHost(connection: Connection): TypedConnection<Host<C>, Worker<C>>;
  /** The very connection, with the types of the worker's side. */
  asWorker(connection: Connection): TypedConnection<Worker<C>, Host<C>>;
}

const untyped = {
  createHost: createConnection,
  createWorker: createConnection,
  asHost: (connection: Connection) => connection,
  asWorker: (connection: Connection) => connection,
};

/**
 * Types for both ends of a connection, from one contract. What arrives is not checked against it: a contract is a
 * promise between two programs, and a handler that does not trust the other one looks for itself.
 */
export function defineProtocol<C extends Contract<C>>(): Protocol<C> {
  return untyped as unknown as Protocol<C>;
}
