/** How an activity or a query is described; the registry of these is the source of routes, checks, OpenAPI and SDK. */
import type * as v from 'valibot';

// biome-ignore lint/suspicious/noExplicitAny: a registry holds schemas of every type.
export type Schema = v.GenericSchema<any, any>;

/** One version of an activity: `type` → key of its intent, key of its result, schema of its `parameters`. */
export type ActivityVersion = {
  readonly intent: string;
  readonly result: string;
  /** Parses `parameters` of this version into those of the current one. */
  readonly parameters: Schema;
};

export type Activity = {
  /** Last part of the path: `/public/v1/submit/<name>`. */
  readonly name: string;
  readonly summary: string;
  /** The newest version is the last. */
  readonly versions: { readonly [type: string]: ActivityVersion };
  /** Schema of the result, for documentation and the SDK's types. */
  readonly result: Schema;
};

export type Query = {
  /** Last part of the path: `/public/v1/query/<name>`. */
  readonly name: string;
  readonly summary: string;
  /** The whole body, `organizationId` included. */
  readonly request: Schema;
  readonly response: Schema;
};

export const defineActivity = <const T extends Activity>(activity: T): T => activity;
export const defineQuery = <const T extends Query>(query: T): T => query;

/** Output of an activity's parameter schemas: what its effect receives. */
export type Parameters<T extends Activity> = v.InferOutput<T['versions'][keyof T['versions']]['parameters']>;
export type Result<T extends Activity> = v.InferOutput<T['result']>;
export type QueryRequest<T extends Query> = v.InferOutput<T['request']>;
export type QueryResponse<T extends Query> = v.InferOutput<T['response']>;
