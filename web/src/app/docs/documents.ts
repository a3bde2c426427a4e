/** The part of JSON Schema that the interface documents use. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

/** OpenAPI 3.1, as the services write it: https://spec.openapis.org/oas/v3.1.1 */
export interface OpenApi {
  readonly info: { readonly title: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

interface OpenApiOperation {
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content & { readonly $ref?: string; readonly description: string }>>;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

/** AsyncAPI 3: https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
export interface AsyncApi {
  readonly info: { readonly title: string; readonly description: string };
  readonly channels: Readonly<
    Record<string, { address: string; description: string; messages: Readonly<Record<string, { $ref: string }>> }>
  >;
}

interface Message {
  readonly title: string;
  readonly summary?: string;
  readonly payload: Schema;
}

/** A member of an object, or a parameter, with the members of its own value. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
  readonly fields: readonly Field[];
}

/** A request or message, or a possible answer to one. */
export interface Part {
  readonly title: string;
  readonly description: string;
  readonly fields: readonly Field[];
}

/** An endpoint, or a queue or stream. */
export interface Entry {
  readonly title: string;
  readonly description: string;
  /** The kinds of callers that are admitted; none when everybody is. */
  readonly callers: readonly string[];
  readonly parts: readonly Part[];
}

/** All refusals have the members of RFC 9457; what differs is the type. */
const PROBLEM = 'application/problem+json';
const namesProblem = ({ name, type }: Field): boolean => name === 'type' && type !== 'string';

/** The endpoints of a service, in the order of its document. */
export function endpointsOf(document: OpenApi, words: { parameters: string; body: string }): readonly Entry[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      title: `${method.toUpperCase()} ${path}`,
      description: operation.summary,
      callers: callersOf(operation),
      parts: [
        ...part(
          words.parameters,
          '',
          (operation.parameters ?? []).map((each) => parameter(each, document)),
        ),
        ...part(words.body, '', membersOf(bodyOf(operation.requestBody), document)),
        ...Object.entries(operation.responses).map(([status, answer]) => {
          const { description, ...rest } = answer.$ref ? lookUp<typeof answer>(answer.$ref, document) : answer;
          const fields = membersOf(bodyOf(rest), document);
          return {
            title: status,
            description,
            fields: PROBLEM in (rest.content ?? {}) ? fields.filter(namesProblem) : fields,
          };
        }),
      ],
    })),
  );
}

/** The queues and streams, each with its messages. */
export function channelsOf(document: AsyncApi): readonly Entry[] {
  return Object.values(document.channels).map(({ address, description, messages }) => ({
    title: address,
    description,
    callers: [],
    parts: Object.values(messages).map(({ $ref }) => {
      const message = lookUp<Message>($ref, document);
      const fields = membersOf(message.payload, document);
      return { title: message.title, description: message.summary ?? '', fields };
    }),
  }));
}

function part(title: string, description: string, fields: readonly Field[]): readonly Part[] {
  return fields.length > 0 ? [{ title, description, fields }] : [];
}

function callersOf({ security = [] }: OpenApiOperation): readonly string[] {
  const names = security.flatMap((each) =>
    Object.entries(each).flatMap(([scheme, roles]) => (roles.length > 0 ? roles : [scheme])),
  );
  return [...new Set(names.map((each) => (each === 'serviceToken' ? 'service' : each)))];
}

function bodyOf({ content = {} }: Content = {}): Schema {
  return Object.values(content)[0]?.schema ?? {};
}

function parameter(each: Parameter, document: object): Field {
  const description = each.description ?? each.schema.description ?? each.in;
  return { ...field(each.name, each.schema, document, []), required: each.required ?? false, description };
}

/** The members of an object, or of the elements of a list; those of *seen* are not entered again. */
function membersOf(given: Schema, document: object, seen: readonly string[] = []): readonly Field[] {
  if (given.$ref !== undefined) {
    if (seen.includes(given.$ref)) return [];
    return membersOf(lookUp<Schema>(given.$ref, document), document, [...seen, given.$ref]);
  }
  const own = Object.entries(given.properties ?? {}).map(([name, schema]) => ({
    ...field(name, schema, document, seen),
    required: given.required?.includes(name) ?? false,
  }));
  const others = [...(given.allOf ?? []), ...(given.oneOf ?? []), ...(given.items ? [given.items] : [])];
  const fields = [...own, ...others.flatMap((each) => membersOf(each, document, seen))];
  // of several with a name, the last says it most narrowly
  return [...new Map(fields.map((each) => [each.name, each])).values()];
}

function field(name: string, schema: Schema, document: object, seen: readonly string[]): Field {
  return {
    name,
    type: typeOf(schema, document),
    required: false,
    description: schema.description ?? '',
    fields: membersOf(schema, document, seen),
  };
}

function typeOf(schema: Schema, document: object): string {
  if (schema.$ref !== undefined) return typeOf(lookUp<Schema>(schema.$ref, document), document);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(' | ');
  if (schema.items) return `${typeOf(schema.items, document)}[]`;
  const types = schema.type === undefined ? 'object' : [schema.type].flat().join(' | ');
  return schema.format === undefined ? types : `${types} (${schema.format})`;
}

/** What a reference such as `#/components/schemas/Order` names. */
function lookUp<T>(reference: string, document: object): T {
  const names = reference.split('/').slice(1);
  return names.reduce<unknown>((found, name) => (found as Record<string, unknown>)[name], document) as T;
}
