import './language';

export const docs = {
  pageTitle: $localize`Interfaces · Orderstream`,
  link: $localize`Interfaces`,
  title: $localize`Interfaces`,
  intro: $localize`What each service answers over HTTP, and what goes over queues and streams. A refusal is a problem document (RFC 9457).`,
  messages: $localize`Queues and streams`,
  asJson: $localize`The document as JSON`,
  parameters: $localize`Parameters`,
  body: $localize`Request body`,
  optional: $localize`, optional`,
  callers: (names: readonly string[]): string => $localize`For: ${names.join(', ')}:names:.`,
  missing: (url: string): string => $localize`The document at ${url}:url: can’t be read.`,
} as const;
