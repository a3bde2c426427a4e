import { OpenApi, Part, channelsOf, endpointsOf } from './documents';

const WORDS = { parameters: 'Parameters', body: 'Request body' };
const STORED = { $ref: '#/components/schemas/Node' };
const DOCUMENT = {
  info: { title: 'order-service', description: 'Orders.' },
  paths: {
    '/nodes/{id}': {
      put: {
        summary: 'Replace a node',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        requestBody: { content: { 'application/json': { schema: STORED } } },
        responses: {
          200: { description: 'The node', content: { 'application/json': { schema: STORED } } },
          default: { $ref: '#/components/responses/Problem', description: '' },
        },
        security: [{ accessToken: ['customer'] }, { accessToken: ['operator'] }, { serviceToken: [] }],
      },
    },
  },
  components: {
    schemas: {
      Node: {
        type: 'object',
        required: ['kind'],
        properties: {
          kind: { enum: ['leaf', 'branch'] },
          at: { type: ['string', 'null'], format: 'date-time', description: 'When.' },
          children: { type: 'array', items: STORED },
        },
      },
      Problem: { type: 'object', properties: { title: { type: 'string' }, type: { const: 'urn:p:gone' } } },
    },
    responses: {
      Problem: {
        description: 'Any other failure',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  },
};

describe('interface documents', () => {
  const [endpoint] = endpointsOf(DOCUMENT as OpenApi, WORDS);
  const part = (title: string): Part | undefined => endpoint?.parts.find((each) => each.title === title);

  it('shows an endpoint with who may call it', () => {
    expect(endpoint).toMatchObject({
      title: 'PUT /nodes/{id}',
      description: 'Replace a node',
      callers: ['customer', 'operator', 'service'],
    });
    expect(endpoint?.parts.map((each) => each.title)).toEqual(['Parameters', 'Request body', '200', 'default']);
  });

  it('shows members with their types', () => {
    expect(part('Request body')?.fields).toMatchObject([
      { name: 'kind', type: '"leaf" | "branch"', required: true },
      { name: 'at', type: 'string | null (date-time)', required: false, description: 'When.' },
      { name: 'children', type: 'object[]', required: false },
    ]);
    expect(part('Parameters')?.fields).toMatchObject([{ name: 'id', type: 'integer', required: true }]);
  });

  it('enters a schema once that contains itself', () => {
    const children = part('200')?.fields.find((each) => each.name === 'children');
    expect(children?.fields).toEqual([]);
  });

  it('shows of a refusal its type alone', () => {
    expect(part('default')).toMatchObject({
      description: 'Any other failure',
      fields: [{ name: 'type', type: '"urn:p:gone"' }],
    });
  });

  it('shows a channel with its messages, each of the narrowest type', () => {
    const event = { type: 'object', properties: { type: { type: 'string' } } };
    const [channel] = channelsOf({
      info: { title: 'Orderstream', description: '' },
      channels: {
        q: { address: 'a-queue', description: 'All.', messages: { m: { $ref: '#/components/messages/m' } } },
      },
      components: {
        messages: {
          m: { title: 'order-created', payload: { allOf: [event, { properties: { type: { const: 'm' } } }] } },
        },
      },
    } as Parameters<typeof channelsOf>[0]);
    expect(channel).toMatchObject({
      title: 'a-queue',
      parts: [{ title: 'order-created', fields: [{ name: 'type', type: '"m"' }] }],
    });
  });
});
