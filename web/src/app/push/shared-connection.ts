import { DOCUMENT, DestroyRef, effect, inject, untracked } from '@angular/core';
import { Arrival, FeedConnection, Protocol, listenForNetwork } from 'orderstream-client';

import { tabChannel, tabLock } from '../browser';
import { Phase, Session } from '../sign-in/session';
import { FEED_RUNTIME } from './feed-runtime';
import { Connect, Sharing } from './sharing';

/** With the version of the message format: pages of different versions share nothing. */
const NAME = 'orderstream.feed.2';

/**
 * Opens a connection that all tabs of the person share, until the injection context is destroyed.
 *
 * @param purpose what the connection is for: those of another purpose are others.
 * @param protocols over which the tabs begin when they share, and this one when the browser keeps them from sharing.
 * @param onChange called with new notifications in order, and at each possible change of the status.
 */
export function shareConnection(
  purpose: string,
  protocols: { readonly shared: Protocol; readonly alone: Protocol },
  onChange: (arrived: readonly Arrival[], sharing: Sharing) => void,
): Sharing {
  const [runtime, session, document] = [inject(FEED_RUNTIME), inject(Session), inject(DOCUMENT)];
  let connection: FeedConnection | null = null;
  // a customer's feed has gaps, as one with a filter
  const isFiltered = !session.may().seeAll;
  const connect: Connect = (start, onArrivals) =>
    (connection = new FeedConnection({ ...start, isFiltered }, runtime, onArrivals));
  // people share neither a connection nor what it brought, nor do the roles of one person
  const person = session.required ? `${session.own(NAME)}/${session.person()?.role ?? ''}` : NAME;
  const name = `${person}/${purpose}`;
  const isVisible = (): boolean => document.visibilityState === 'visible';
  const tabs = { lock: tabLock(name), channel: tabChannel(name), runtime, isVisible };
  const sharing = new Sharing(protocols, tabs, connect, (arrived) => onChange(arrived, sharing));
  const listeners = new AbortController();
  document.addEventListener('visibilitychange', () => isVisible() && sharing.look(), { signal: listeners.signal });
  const stopListening = listenForNetwork({
    online: () => connection?.online(),
    offline: () => connection?.offline(),
  });
  inject(DestroyRef).onDestroy(() => {
    stopListening();
    listeners.abort();
    sharing.stop();
  });
  sharing.start();
  effect(() => {
    const phase = session.phase();
    untracked(() => follow(sharing, phase));
  });
  return sharing;
}

/** A tab that can't get tickets leaves the connection to another one of the person. */
function follow(sharing: Sharing, phase: Phase): void {
  if (phase === 'signed-out') sharing.stop();
  else if (phase === 'ended') sharing.resign();
  else if (phase !== 'signing-in') {
    sharing.stand();
    if (sharing.status.state === 'ended') sharing.resume();
  }
}
