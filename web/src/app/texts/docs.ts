export const docs = {
  pageTitle: 'Interfaces · Orderstream',
  link: 'Interfaces',
  title: 'Interfaces',
  intro:
    'What each service answers over HTTP, and what goes over queues and streams. A refusal is a problem document (RFC 9457).',
  messages: 'Queues and streams',
  asJson: 'The document as JSON',
  parameters: 'Parameters',
  body: 'Request body',
  optional: ', optional',
  callers: (names: readonly string[]): string => `For: ${names.join(', ')}.`,
  missing: (url: string): string => `The document at ${url} can’t be read.`,
} as const;
