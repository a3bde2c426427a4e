import { tabChannel, tabLock } from '../browser';

const LOCK = 'orderstream.session';
/** How long a tab that hangs, and so can't answer, is waited for. */
const PATIENCE_MS = 10_000;
const QUESTION = 'whose';
const ANSWER = 'mine';

/**
 * Whether this tab is the only one with the session *id*, and remains so: a duplicated tab has a copy, and with
 * rotation the second use of one refresh token ends the sign-in of both. Without locks it can't be known.
 *
 * Another tab says that it has the session. A page that is being left, as this one was when it is loaded anew, says
 * nothing and gives its lock back, on a busy machine seconds after the next page has begun.
 */
export async function isSoleTab(id: string): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const name = `${LOCK}/${id}`;
    const channel = tabChannel(name);
    let isHolder = false;
    const decide = (isSole: boolean): void => {
      clearTimeout(timer);
      if (!isHolder) channel?.close();
      if (!isSole) release();
      resolve(isSole);
    };
    const release = tabLock(name).acquire({
      // until the tab is closed
      held: () => {
        isHolder = true;
        channel?.post(ANSWER);
        decide(true);
      },
      denied: () => decide(true),
      lost: () => undefined, // nobody takes it away
    });
    const timer = setTimeout(() => decide(false), PATIENCE_MS);
    channel?.listen((message) => {
      if (!isHolder && message === ANSWER) decide(false);
      else if (isHolder && message === QUESTION) channel.post(ANSWER);
    });
    channel?.post(QUESTION);
  });
}
