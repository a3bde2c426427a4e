import { isRecord } from 'orderstream-client';

import { tabChannel } from '../browser';

const CHANNEL = 'orderstream.sign-in';
const PATIENCE_MS = 3_000;

/**
 * Passes the issuer's answer to the tab whose window for the sign-in this is: `Cross-Origin-Opener-Policy` cuts the
 * window off from it. The answer is of no use without the code verifier, which only that tab has.
 *
 * @returns whether a tab took it.
 */
export function relayAnswer(answer: URLSearchParams): Promise<boolean> {
  const channel = tabChannel(CHANNEL);
  if (channel === null) return Promise.resolve(false);
  const state = answer.get('state');
  return new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE_MS);
    channel.listen((data) => {
      if (!isRecord(data) || data['taken'] !== state) return;
      clearTimeout(timer);
      resolve(true);
    });
    channel.post({ answer: answer.toString(), state });
  }).finally(() => channel.close());
}

/** Calls *onAnswer* once, with the answer to the attempt with *state*; the returned function stops waiting. */
export function awaitAnswer(state: string, onAnswer: (answer: URLSearchParams) => void): () => void {
  const channel = tabChannel(CHANNEL);
  channel?.listen((data) => {
    if (!isRecord(data) || data['state'] !== state || typeof data['answer'] !== 'string') return;
    channel.post({ taken: state });
    channel.close();
    onAnswer(new URLSearchParams(data['answer']));
  });
  return () => channel?.close();
}
